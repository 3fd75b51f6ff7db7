#include "tests/unit/runtime/packed_files.h"

#include <zlib.h>

#include <array>

#include "support/check.h"

namespace dlg::test {
namespace {

std::uint32_t checksum(std::string_view bytes) {
  return static_cast<std::uint32_t>(
      ::crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size())));
}

/// All at once; the window says how it is wrapped, as zlib numbers that.
std::string packed(std::string_view bytes, int window) {
  z_stream stream{};
  DLG_CHECK(::deflateInit2(&stream, 9, Z_DEFLATED, window, 9, Z_DEFAULT_STRATEGY) == Z_OK,
            "a test packs its file");
  std::string result(::deflateBound(&stream, static_cast<uLong>(bytes.size())) + 32, '\0');
  std::string copy(bytes);
  stream.next_in = reinterpret_cast<Bytef*>(copy.data());
  stream.avail_in = static_cast<uInt>(copy.size());
  stream.next_out = reinterpret_cast<Bytef*>(result.data());
  stream.avail_out = static_cast<uInt>(result.size());
  DLG_CHECK(::deflate(&stream, Z_FINISH) == Z_STREAM_END, "a test packs its file");
  result.resize(stream.total_out);
  ::deflateEnd(&stream);
  return result;
}

std::string packed_data(const Member& member) {
  if (!member.packed.empty()) return member.packed;
  return member.method == 8 ? deflated(member.data) : member.data;
}

std::string local_header(const Member& member, std::size_t packed_size) {
  return "PK\x03\x04" + little(20, 2) + little(0, 2) + little(static_cast<std::uint64_t>(member.method), 2) +
         little(0, 4) + little(checksum(member.data), 4) + little(packed_size, 4) +
         little(member.data.size(), 4) + little(member.name.size(), 2) + little(0, 2) + member.name;
}

std::string entry(const Member& member, std::size_t packed_size, std::size_t place) {
  return "PK\x01\x02" + little(20, 2) + little(20, 2) + little(0, 2) +
         little(static_cast<std::uint64_t>(member.method), 2) + little(0, 4) +
         little(checksum(member.data), 4) + little(packed_size, 4) + little(member.data.size(), 4) +
         little(member.name.size(), 2) + little(0, 2) + little(0, 2) + little(0, 2) + little(0, 2) +
         little(0, 4) + little(place, 4) + member.name;
}

std::string entry64(const Member& member, std::size_t packed_size, std::size_t place) {
  const std::string extra = little(1, 2) + little(24, 2) + little(member.data.size(), 8) +
                            little(packed_size, 8) + little(place, 8);
  std::string bytes = patched(entry(member, 0xffffffff, 0xffffffff), 24, little(0xffffffff, 4));
  return patched(bytes, 30, little(extra.size(), 2)) + extra;
}

}  // namespace

std::string little(std::uint64_t number, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(number >> (8 * i) & 0xff);
  return text;
}

std::string big(std::uint64_t number, int bytes) {
  const std::string text = little(number, bytes);
  return {text.rbegin(), text.rend()};
}

std::string patched(std::string bytes, std::ptrdiff_t at, std::string_view with) {
  const std::size_t place =
      at < 0 ? bytes.size() - static_cast<std::size_t>(-at) : static_cast<std::size_t>(at);
  DLG_CHECK(place + with.size() <= bytes.size(), "a test packs its file");
  return bytes.replace(place, with.size(), with);
}

std::string cut(const std::string& bytes, std::size_t count) {
  return bytes.substr(0, bytes.size() - count);
}

std::string deflated(std::string_view bytes) {
  return packed(bytes, -15);
}

std::string gzipped(std::string_view bytes) {
  return packed(bytes, 15 + 16);
}

std::string zlib_bytes(std::string_view bytes) {
  return packed(bytes, 15);
}

std::string idx_bytes(int type, const std::vector<std::uint32_t>& sizes, const std::string& elements) {
  std::string bytes = big(0, 2) + static_cast<char>(type) + static_cast<char>(sizes.size());
  for (const std::uint32_t size : sizes) bytes += big(size, 4);
  return bytes + elements;
}

std::string npy_bytes(const std::string& descr, const std::string& shape, const std::string& elements) {
  std::string header = "{'descr': '" + descr + "', 'fortran_order': False, 'shape': " + shape + ", }";
  while ((10 + header.size() + 1) % 64 != 0) header += ' ';
  header += '\n';
  return "\x93NUMPY" + little(1, 2) + little(header.size(), 2) + header + elements;
}

std::string zip_bytes(const std::vector<Member>& members) {
  std::string bytes;
  std::string directory;
  for (const Member& member : members) {
    const std::string data = packed_data(member);
    directory += entry(member, data.size(), bytes.size());
    bytes += local_header(member, data.size()) + data;
  }
  return bytes + directory + "PK\x05\x06" + little(0, 4) + little(members.size(), 2) +
         little(members.size(), 2) + little(directory.size(), 4) + little(bytes.size(), 4) + little(0, 2);
}

std::string zip64_bytes(const std::vector<Member>& members) {
  std::string bytes;
  std::string directory;
  for (const Member& member : members) {
    const std::string data = packed_data(member);
    directory += entry64(member, data.size(), bytes.size());
    bytes += local_header(member, data.size()) + data;
  }
  const std::size_t end = bytes.size() + directory.size();
  return bytes + directory + "PK\x06\x06" + little(44, 8) + little(45, 2) + little(45, 2) + little(0, 8) +
         little(members.size(), 8) + little(members.size(), 8) + little(directory.size(), 8) +
         little(bytes.size(), 8) + "PK\x06\x07" + little(0, 4) + little(end, 8) + little(1, 4) +
         "PK\x05\x06" + little(0, 4) + little(0xffff, 2) + little(0xffff, 2) + little(0xffffffff, 4) +
         little(0xffffffff, 4) + little(0, 2);
}

std::string png_chunk(const std::string& name, const std::string& data) {
  return big(data.size(), 4) + name + data + big(checksum(name + data), 4);
}

std::string packed_rows(const std::vector<std::string>& rows) {
  std::string bytes;
  for (const std::string& row : rows) bytes += '\0' + row;
  return zlib_bytes(bytes);
}

std::string png_bytes(const Picture& picture) {
  const std::string header = big(picture.width, 4) + big(picture.height, 4) +
                             static_cast<char>(picture.depth) + static_cast<char>(picture.colour) +
                             std::string(2, '\0') + static_cast<char>(picture.interlace);
  return "\x89PNG\r\n\x1a\n" + png_chunk("IHDR", header) + picture.between +
         png_chunk("IDAT", picture.packed.empty() ? packed_rows(picture.rows) : picture.packed) +
         png_chunk("IEND", "");
}

std::vector<std::string> interlaced(const std::vector<std::string>& rows) {
  struct Pass {
    std::size_t row, row_step, column, column_step;
  };
  constexpr std::array<Pass, 7> kPasses = {
      {{0, 8, 0, 8}, {0, 8, 4, 8}, {4, 8, 0, 4}, {0, 4, 2, 4}, {2, 4, 0, 2}, {0, 2, 1, 2}, {1, 2, 0, 1}}};
  std::vector<std::string> result;
  for (const Pass& pass : kPasses) {
    for (std::size_t row = pass.row; row < rows.size(); row += pass.row_step) {
      std::string pixels;
      for (std::size_t column = pass.column; column < rows[row].size(); column += pass.column_step)
        pixels += rows[row][column];
      if (!pixels.empty()) result.push_back(pixels);
    }
  }
  return result;
}

}  // namespace dlg::test
