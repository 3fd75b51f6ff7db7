// Owns what tests pack files with: gzip, zip archives, PNG pictures, IDX and npy arrays, good ones that a
// test spoils.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace dlg::test {

/// The bytes of numbers as they lie in memory: little-endian.
template <class T>
std::string raw(const std::vector<T>& values) {
  std::string bytes(values.size() * sizeof(T), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

std::string little(std::uint64_t number, int bytes);
std::string big(std::uint64_t number, int bytes);

/// `bytes` with other ones from `at` on; negative: from the end.
std::string patched(std::string bytes, std::ptrdiff_t at, std::string_view with);
/// Without so many bytes at the end.
std::string cut(const std::string& bytes, std::size_t count);

std::string deflated(std::string_view bytes);
std::string gzipped(std::string_view bytes);

/// An IDX file: the code of its elements' type, the sizes of its axes, its elements.
std::string idx_bytes(int type, const std::vector<std::uint32_t>& sizes, const std::string& elements);

/// An npy file of version 1.
std::string npy_bytes(const std::string& descr, const std::string& shape, const std::string& elements);

/// A member of an archive. What is not set is what fits the data.
struct Member {
  std::string name;
  std::string data;
  int method = 0;           // 8: deflate
  std::string packed = {};  // set: instead of what the method makes of `data`
};
std::string zip_bytes(const std::vector<Member>& members);
/// The same with all sizes and places in 64 bits.
std::string zip64_bytes(const std::vector<Member>& members);

std::string png_chunk(const std::string& name, const std::string& data);

/// A picture; `rows` are its bytes as they lie in the file, row by row, without filters.
struct Picture {
  std::uint32_t width = 2;
  std::uint32_t height = 1;
  int depth = 8;
  int colour = 0;  // 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGBA
  std::vector<std::string> rows = {};
  std::string between = {};  // chunks before the pixels
  int interlace = 0;
  std::string packed = {};  // set: instead of the packed rows
};
std::string png_bytes(const Picture& picture);
/// Of rows, with a filter byte of 0 before each.
std::string packed_rows(const std::vector<std::string>& rows);
/// Packed as zlib does it.
std::string zlib_bytes(std::string_view bytes);
/// Rows of 8 bits and one channel in the seven passes of an interlaced picture.
std::vector<std::string> interlaced(const std::vector<std::string>& rows);

}  // namespace dlg::test
