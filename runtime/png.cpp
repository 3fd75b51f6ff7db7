// Owns the calls of libpng. It ends what it cannot read by a jump over our frames, so the functions that call
// it hold nothing that would have to be destroyed.
#include "runtime/png.h"

#include <png.h>

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstring>
#include <vector>

#include "runtime/inflate.h"
#include "support/arithmetic.h"
#include "support/check.h"
#include "support/memory_limit.h"

namespace dlg {
namespace {

constexpr Diag<std::string, std::string> kDamaged{DiagCode::PngDamaged, Severity::kError,
                                                  "`{}` is no PNG picture that can be read: {}"};
constexpr Diag<std::string, std::string> kForm{DiagCode::PngForm, Severity::kError, "the picture `{}` {}"};

constexpr std::string_view kMagic = "\x89PNG\r\n\x1a\n";
/// Behind the magic stands a chunk of 13 bytes: length, name, contents, checksum.
constexpr std::string_view kHeaderChunk{"\0\0\0\x0dIHDR", 8};
constexpr std::size_t kHeaderBytes = 33;
constexpr int kByteBits = 8;

/// What other pictures begin with.
struct OtherPicture {
  std::string_view magic;
  std::string_view name;
};

constexpr std::array<OtherPicture, 5> kOtherPictures = {{
    {"\xff\xd8\xff", "a JPEG"},
    {"GIF8", "a GIF"},
    {"BM", "a BMP"},
    {"RIFF", "a WebP"},
    {"II*", "a TIFF"},
}};

struct PngHeader {
  std::int64_t width = 0;
  std::int64_t height = 0;
  int depth = 0;   // bits of a sample
  int colour = 0;  // PNG_COLOR_TYPE_...

  /// Samples of a pixel as they lie in the file.
  std::int64_t samples() const { return colour == PNG_COLOR_TYPE_RGB ? 3 : 1; }
  std::int64_t channels() const { return colour == PNG_COLOR_TYPE_GRAY ? 1 : 3; }
  bool has_palette() const { return colour == PNG_COLOR_TYPE_PALETTE; }
};

std::int64_t big_endian(std::string_view bytes) {
  std::int64_t number = 0;
  for (const char byte : bytes) number = number * 256 + static_cast<unsigned char>(byte);
  return number;
}

/// What libpng reads from and tells.
struct Decoder {
  std::string_view rest;
  std::string fault = {};
  png_structp png = nullptr;
  png_infop info = nullptr;
  png_colorp palette = nullptr;
  int colours = 0;

  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
  explicit Decoder(std::string_view bytes) : rest(bytes) {
    png = ::png_create_read_struct(PNG_LIBPNG_VER_STRING, this, on_error, on_warning);
    if (png != nullptr) info = ::png_create_info_struct(png);
  }
  ~Decoder() { ::png_destroy_read_struct(&png, &info, nullptr); }

  [[noreturn]] static void on_error(png_structp png, png_const_charp message) {
    static_cast<Decoder*>(::png_get_error_ptr(png))->fault = message;
    ::png_longjmp(png, 1);
  }

  static void on_warning(png_structp, png_const_charp) {}

  static void on_read(png_structp png, png_bytep to, std::size_t count) {
    auto* decoder = static_cast<Decoder*>(::png_get_io_ptr(png));
    if (decoder->rest.size() < count) ::png_error(png, "it was cut short");
    std::copy_n(decoder->rest.begin(), count, to);
    decoder->rest.remove_prefix(count);
  }
};

/// Everything before the pixels. Chunks that say nothing about their numbers are skipped, their checksums are
/// looked at.
bool read_front(Decoder& decoder) {
  if (setjmp(png_jmpbuf(decoder.png)) != 0) return false;
  ::png_set_read_fn(decoder.png, &decoder, Decoder::on_read);
  ::png_set_crc_action(decoder.png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
  ::png_set_benign_errors(decoder.png, 0);
  // We name the pixel.
  ::png_set_check_for_invalid_index(decoder.png, 0);
  ::png_set_keep_unknown_chunks(decoder.png, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
  ::png_read_info(decoder.png, decoder.info);
  return true;
}

/// A byte for each sample of each pixel; `rows` are the places of the rows.
bool read_samples(Decoder& decoder, const PngHeader& header, std::vector<png_bytep>& rows) {
  if (setjmp(png_jmpbuf(decoder.png)) != 0) return false;
  if (header.has_palette()) {
    ::png_set_packing(decoder.png);
    ::png_get_PLTE(decoder.png, decoder.info, &decoder.palette, &decoder.colours);
  } else if (header.depth < kByteBits) {
    ::png_set_expand_gray_1_2_4_to_8(decoder.png);
  }
  ::png_set_interlace_handling(decoder.png);
  ::png_read_update_info(decoder.png, decoder.info);
  const std::size_t row_bytes = ::png_get_rowbytes(decoder.png, decoder.info);
  if (std::cmp_not_equal(row_bytes, header.width * header.samples()))
    ::png_error(decoder.png, "its rows have another length than its header says");
  ::png_read_image(decoder.png, rows.data());
  ::png_read_end(decoder.png, nullptr);
  return true;
}

/// Reads one file; the first thing that is wrong ends it.
class PngReader {
 public:
  PngReader(std::string_view bytes, const FileRequest& file, Diagnostics& diagnostics)
      : bytes_(bytes), file_(file), diagnostics_(diagnostics) {}

  std::optional<StoredRows> read() {
    if (!read_header() || !check_form() || !check_size()) return std::nullopt;
    Decoder decoder(bytes_);
    DLG_CHECK(decoder.info != nullptr, "libpng begins to read");
    if (!read_front(decoder)) return damaged(decoder.fault);
    if (::png_get_valid(decoder.png, decoder.info, PNG_INFO_tRNS) != 0)
      return bad_form("has transparent pixels, which would be lost", kFlatten);
    std::vector<char> samples(sample_bytes());
    std::vector<png_bytep> rows(static_cast<std::size_t>(header_.height));
    for (std::size_t row = 0; row < rows.size(); ++row)
      rows[row] = reinterpret_cast<png_bytep>(samples.data()) + row * (samples.size() / rows.size());
    if (!read_samples(decoder, header_, rows)) return damaged(decoder.fault);
    if (!decoder.rest.empty()) return damaged(fmt::format("{} bytes follow its end", decoder.rest.size()));
    return header_.has_palette() ? looked_up(samples, decoder) : planes_of(samples);
  }

 private:
  static constexpr std::string_view kFlatten =
      "lay it on a background first, for example `convert x.png -background white -alpha remove -alpha off "
      "x.png`";

  std::nullopt_t damaged(const std::string& what) {
    diagnostics_.report(file_.range, kDamaged, file_.name(), what)
        .note("copy or download the picture again, or write it anew");
    return std::nullopt;
  }

  std::nullopt_t bad_form(const std::string& what, std::string_view help) {
    diagnostics_.report(file_.range, kForm, file_.name(), what).note(std::string(help));
    return std::nullopt;
  }

  bool report_other() {
    const auto other =
        std::find_if(kOtherPictures.begin(), kOtherPictures.end(),
                     [&](const OtherPicture& picture) { return bytes_.starts_with(picture.magic); });
    Report report =
        diagnostics_.report(file_.range, kDamaged, file_.name(), "it does not begin as PNG files do");
    if (other != kOtherPictures.end())
      report.note(fmt::format("it looks like {}: convert it, for example `convert x x.png`", other->name));
    return false;
  }

  bool read_header() {
    if (!is_png(bytes_)) return report_other();
    const std::string_view chunk = bytes_.substr(kMagic.size());
    if (bytes_.size() < kHeaderBytes || !chunk.starts_with(kHeaderChunk)) {
      damaged(bytes_.size() < kHeaderBytes ? "it was cut short inside its header" : "its header is missing");
      return false;
    }
    header_.width = big_endian(chunk.substr(8, 4));
    header_.height = big_endian(chunk.substr(12, 4));
    header_.depth = static_cast<unsigned char>(chunk[16]);
    header_.colour = static_cast<unsigned char>(chunk[17]);
    return true;
  }

  bool check_form() {
    const bool has_alpha = header_.colour == PNG_COLOR_TYPE_GA || header_.colour == PNG_COLOR_TYPE_RGBA;
    if (has_alpha) {
      bad_form("has an alpha channel, which would be lost", kFlatten);
    } else if (header_.depth == 2 * kByteBits) {
      bad_form("has 16 bits for each number, expected at most 8: they would be rounded",
               "write it with 8 bits, for example `convert x.png -depth 8 x.png`, or as an array for `npy`");
    } else if (header_.width == 0 || header_.height == 0) {
      damaged(fmt::format("it has {} x {} pixels, expected at least one", header_.width, header_.height));
    } else {
      return true;
    }
    return false;
  }

  /// Whether so many pixels can be in a file of this size, before memory is taken for them.
  bool check_size() {
    const std::int64_t row_bits = saturated_mul(header_.width, header_.samples() * header_.depth);
    const std::int64_t raw = saturated_mul(header_.height, row_bits / kByteBits);
    const PackedBytes packed{0, static_cast<std::int64_t>(bytes_.size()), Wrapping::kNone};
    const std::int64_t bytes = saturated_mul(saturated_mul(header_.width, header_.height), 3);
    if (raw <= packed.most_bytes() && bytes <= memory_limit()) return true;
    damaged(fmt::format("it claims {} x {} pixels, {}", header_.width, header_.height,
                        raw <= packed.most_bytes() ? "more than there is memory for"
                                                   : fmt::format("but {} bytes hold fewer", bytes_.size())));
    return false;
  }

  std::size_t sample_bytes() const {
    return static_cast<std::size_t>(
        multiply_sizes(multiply_sizes(header_.width, header_.height), header_.samples()));
  }

  StoredRows empty_row() const {
    StoredRows row = dense_rows(StoredType::kU8, {header_.channels(), header_.height, header_.width}, 1);
    row.origin = fmt::format("`{}` (u8, shape {})", file_.name(), shape_text(row.row_shape));
    return row;
  }

  /// Of pixels that lie together, channel by channel.
  StoredRows planes_of(const std::vector<char>& samples) const {
    StoredRows row = empty_row();
    const auto channels = static_cast<std::size_t>(header_.channels());
    const std::size_t pixels = samples.size() / channels;
    for (std::size_t channel = 0; channel < channels; ++channel) {
      char* plane = row.bytes.data() + channel * pixels;
      for (std::size_t pixel = 0; pixel < pixels; ++pixel) plane[pixel] = samples[pixel * channels + channel];
    }
    return row;
  }

  std::optional<StoredRows> looked_up(const std::vector<char>& samples, const Decoder& decoder) {
    StoredRows row = empty_row();
    for (std::size_t pixel = 0; pixel < samples.size(); ++pixel) {
      const int number = static_cast<unsigned char>(samples[pixel]);
      if (number >= decoder.colours) {
        return damaged(fmt::format("its pixel {} has colour {}, but its palette has {} colours", pixel,
                                   number, decoder.colours));
      }
      const png_color& colour = decoder.palette[number];
      const std::array<png_byte, 3> parts{colour.red, colour.green, colour.blue};
      for (std::size_t channel = 0; channel < parts.size(); ++channel)
        row.bytes[channel * samples.size() + pixel] = static_cast<char>(parts[channel]);
    }
    return row;
  }

  std::string_view bytes_;
  const FileRequest& file_;
  Diagnostics& diagnostics_;
  PngHeader header_;
};

}  // namespace

bool is_png(std::string_view bytes) {
  return bytes.starts_with(kMagic);
}

std::optional<StoredRows> parse_png(std::string_view bytes, const FileRequest& file,
                                    Diagnostics& diagnostics) {
  return PngReader(bytes, file, diagnostics).read();
}

std::optional<StoredRows> read_png(const FileRequest& file, Diagnostics& diagnostics) {
  const std::optional<std::string> bytes = read_file(file, diagnostics);
  if (!bytes) return std::nullopt;
  return parse_png(*bytes, file, diagnostics);
}

}  // namespace dlg
