// Owns unpacking what gzip and zip have packed: as many bytes as are asked for, and no more.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "runtime/byte_source.h"

struct z_stream_s;

namespace dlg {

/// Packed bytes make at most so many bytes (deflate's limit: 258 of two bits).
constexpr std::int64_t kMostGrowth = 1032;

/// What stands around packed bytes.
enum class Wrapping {
  kGzip,  // headers, checksums and lengths; several such members may follow each other
  kNone,
};

/// Where packed bytes lie in their source.
struct PackedBytes {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  Wrapping wrapping = Wrapping::kNone;

  std::int64_t most_bytes() const;  // that they may make
};

/// Unpacks piece by piece. The source outlives it.
class Inflater {
 public:
  Inflater(const NamedSource& source, const PackedBytes& packed);
  ~Inflater();
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  /// Fills the front of `to`; answers how many bytes there were, fewer than wanted at the end alone. Errors:
  /// packed bytes that were cut short, are damaged, have another checksum or length than they say, or end
  /// before `packed.end`. Those of the end are seen by who asks for one byte more than there is.
  std::optional<std::int64_t> read(std::span<char> to);

 private:
  std::optional<std::int64_t> damaged(const std::string& what);
  bool refill();
  bool take_end();
  std::int64_t place() const;

  NamedSource source_;
  PackedBytes packed_;
  std::int64_t next_;  // of the source, behind what lies in `input_`
  std::unique_ptr<z_stream_s> stream_;
  std::vector<char> input_;
  bool is_at_end_ = false;
};

/// The bytes of a file one after the other, unpacked where it is a gzip file: that is told by its first two
/// bytes, not by its name.
class ByteStream {
 public:
  explicit ByteStream(const NamedSource& source);

  bool is_packed() const { return inflater_ != nullptr; }
  /// All of them are at most so many; exactly so many where they are not packed.
  std::int64_t most_bytes() const { return most_bytes_; }
  /// As Inflater::read.
  std::optional<std::int64_t> read(std::span<char> to);

 private:
  NamedSource source_;
  std::unique_ptr<Inflater> inflater_;
  std::int64_t most_bytes_;
  std::int64_t next_ = 0;  // where it is not packed
};

}  // namespace dlg
