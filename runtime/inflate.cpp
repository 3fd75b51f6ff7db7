#include "runtime/inflate.h"

#include <zlib.h>

#include <algorithm>
#include <array>

#include "support/arithmetic.h"
#include "support/check.h"

namespace dlg {
namespace {

constexpr Diag<std::string, std::string> kDamaged{DiagCode::PackedDamaged, Severity::kError,
                                                  "`{}` cannot be unpacked: {}"};

constexpr std::int64_t kInputBytes = std::int64_t{1} << 16;
constexpr std::array<char, 2> kGzipMagic{'\x1f', '\x8b'};
/// The headers of packed bytes that hold nothing.
constexpr std::int64_t kLeastGrowth = 1024;
/// zlib's numbers: a window of 32 KiB; 16 more for the wrapping of gzip; negative for none.
constexpr int kGzipWindow = 15 + 16;
constexpr int kPlainWindow = -15;

bool is_gzip(const NamedSource& source) {
  std::array<char, 2> front{};
  const bool has_front = source.size() >= 2 && source.read(0, front);
  return has_front && front == kGzipMagic;
}

/// What zlib found, in words that say what it means.
std::string reason_of(const z_stream& stream) {
  const std::string reason = stream.msg != nullptr ? stream.msg : "unknown contents";
  if (reason == "incorrect data check") return "its checksum does not fit what it unpacks to";
  if (reason == "incorrect length check") return "its length does not fit what it unpacks to";
  return fmt::format("its packed data is damaged: {}", reason);
}

}  // namespace

std::int64_t PackedBytes::most_bytes() const {
  return saturated_add(saturated_mul(end - begin, kMostGrowth), kLeastGrowth);
}

Inflater::Inflater(const NamedSource& source, const PackedBytes& packed)
    : source_(source), packed_(packed), next_(packed.begin), stream_(std::make_unique<z_stream>()) {
  const int window = packed.wrapping == Wrapping::kGzip ? kGzipWindow : kPlainWindow;
  DLG_CHECK(::inflateInit2(stream_.get(), window) == Z_OK, "zlib begins to unpack");
  input_.resize(static_cast<std::size_t>(std::min(kInputBytes, packed.end - packed.begin)));
}

Inflater::~Inflater() {
  ::inflateEnd(stream_.get());
}

std::optional<std::int64_t> Inflater::damaged(const std::string& what) {
  source_.diagnostics.report(source_.file.range, kDamaged, source_.file.name(), what)
      .note("copy or download the file again");
  return std::nullopt;
}

/// The first byte of the source that zlib has not taken.
std::int64_t Inflater::place() const {
  return next_ - static_cast<std::int64_t>(stream_->avail_in);
}

/// Puts more of the source before zlib, if there is more.
bool Inflater::refill() {
  if (stream_->avail_in > 0 || next_ == packed_.end) return true;
  const std::int64_t count = std::min(static_cast<std::int64_t>(input_.size()), packed_.end - next_);
  const std::span<char> front = std::span(input_).first(static_cast<std::size_t>(count));
  if (!source_.read(next_, front)) return false;
  next_ += count;
  stream_->next_in = reinterpret_cast<Bytef*>(front.data());
  stream_->avail_in = static_cast<uInt>(count);
  return true;
}

/// Behind a member: another one begins, or nothing follows.
bool Inflater::take_end() {
  if (!refill()) return false;
  if (stream_->avail_in == 0) {
    is_at_end_ = true;
    return true;
  }
  const bool is_member =
      packed_.wrapping == Wrapping::kGzip && static_cast<char>(*stream_->next_in) == kGzipMagic[0];
  if (is_member) return ::inflateReset(stream_.get()) == Z_OK;
  damaged(
      fmt::format("its packed data ends at byte {}, and {} bytes follow it", place(), packed_.end - place()));
  return false;
}

std::optional<std::int64_t> Inflater::read(std::span<char> to) {
  // zlib counts in 32 bits.
  constexpr std::size_t kMostAtOnce = std::size_t{1} << 30;
  std::size_t done = 0;
  while (done < to.size() && !is_at_end_) {
    if (!refill()) return std::nullopt;
    const std::size_t wanted = std::min(to.size() - done, kMostAtOnce);
    stream_->next_out = reinterpret_cast<Bytef*>(to.data() + done);
    stream_->avail_out = static_cast<uInt>(wanted);
    const int result = ::inflate(stream_.get(), Z_NO_FLUSH);
    done += wanted - stream_->avail_out;
    if (result == Z_STREAM_END) {
      if (!take_end()) return std::nullopt;
    } else if (result == Z_BUF_ERROR && next_ == packed_.end) {
      return damaged(fmt::format("it was cut short: it ends at byte {}, before its packed data does", next_));
    } else if (result != Z_OK) {
      return damaged(fmt::format("{} (found at byte {})", reason_of(*stream_), place()));
    }
  }
  return static_cast<std::int64_t>(done);
}

ByteStream::ByteStream(const NamedSource& source) : source_(source), most_bytes_(source.size()) {
  if (!is_gzip(source)) return;
  const PackedBytes packed{0, source.size(), Wrapping::kGzip};
  inflater_ = std::make_unique<Inflater>(source, packed);
  most_bytes_ = packed.most_bytes();
}

std::optional<std::int64_t> ByteStream::read(std::span<char> to) {
  if (inflater_) return inflater_->read(to);
  const std::int64_t count = std::min(static_cast<std::int64_t>(to.size()), most_bytes_ - next_);
  if (!source_.read(next_, to.first(static_cast<std::size_t>(count)))) return std::nullopt;
  next_ += count;
  return count;
}

}  // namespace dlg
