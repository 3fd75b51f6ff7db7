// Owns the tests of pictures: every form of PNG that is read, the message for everything else, folders of
// pictures and their classes.
#include "runtime/images.h"
#include "runtime/png.h"
#include "tests/catch.h"
#include "tests/unit/runtime/helpers.h"
#include "tests/unit/runtime/packed_files.h"

namespace dlg {
namespace {

using test::big;
using test::cut;
using test::patched;
using test::Picture;
using test::png_bytes;
using test::png_chunk;

const FileRequest kFile{"/somewhere/x.png", "x.png", {}};
using Numbers = std::vector<int>;

StoredRows parsed(const std::string& bytes) {
  Diagnostics diagnostics;
  std::optional<StoredRows> picture = parse_png(bytes, kFile, diagnostics);
  INFO(diagnostics_text(diagnostics));
  REQUIRE(picture);
  return *std::move(picture);
}

Numbers numbers_of(const std::string& bytes) {
  Numbers numbers;
  const StoredRows picture = parsed(bytes);
  for (const char byte : picture.bytes) numbers.push_back(static_cast<unsigned char>(byte));
  return numbers;
}

std::string fault_of(const std::string& bytes) {
  Diagnostics diagnostics;
  CHECK_FALSE(parse_png(bytes, kFile, diagnostics));
  CHECK(diagnostics.error_count() == 1);
  return diagnostics_text(diagnostics);
}

const std::string kPalette = png_chunk("PLTE", "abcdefghi");

TEST_CASE("png: grey has one channel, colours have three planes") {
  const auto grey = parsed(png_bytes({.height = 2, .rows = {"ab", "cd"}}));
  CHECK(grey.row_shape == std::vector<std::int64_t>{1, 2, 2});
  CHECK(grey.rows == 1);
  CHECK(grey.type == StoredType::kU8);
  CHECK(grey.origin == "`x.png` (u8, shape (1, 2, 2))");
  CHECK(numbers_of(png_bytes({.height = 2, .rows = {"ab", "cd"}})) == Numbers{'a', 'b', 'c', 'd'});
  const std::string colours = png_bytes({.colour = 2, .rows = {"rgbRGB"}});
  CHECK(parsed(colours).row_shape == std::vector<std::int64_t>{3, 1, 2});
  CHECK(numbers_of(colours) == Numbers{'r', 'R', 'g', 'G', 'b', 'B'});
}

TEST_CASE("png: grey of fewer bits is spread without rounding") {
  CHECK(numbers_of(png_bytes({.width = 8, .depth = 1, .rows = {"\xa0"}})) ==
        Numbers{255, 0, 255, 0, 0, 0, 0, 0});
  CHECK(numbers_of(png_bytes({.width = 4, .depth = 2, .rows = {"\x1b"}})) == Numbers{0, 85, 170, 255});
  CHECK(numbers_of(png_bytes({.width = 2, .depth = 4, .rows = {"\x1f"}})) == Numbers{17, 255});
  CHECK(numbers_of(png_bytes({.width = 3, .depth = 1, .rows = {"\x5f"}})) == Numbers{0, 255, 0});
}

TEST_CASE("png: colours of a palette are looked up") {
  const std::string two("\0\2", 2);
  CHECK(numbers_of(png_bytes({.colour = 3, .rows = {two}, .between = kPalette})) ==
        Numbers{'a', 'g', 'b', 'h', 'c', 'i'});
  CHECK(numbers_of(png_bytes({.width = 4, .depth = 2, .colour = 3, .rows = {"\x24"}, .between = kPalette})) ==
        Numbers{'a', 'g', 'd', 'a', 'b', 'h', 'e', 'b', 'c', 'i', 'f', 'c'});
  CHECK(numbers_of(png_bytes({.width = 1, .depth = 1, .colour = 3, .rows = {"\x80"}, .between = kPalette})) ==
        Numbers{'d', 'e', 'f'});
}

TEST_CASE("png: interlaced rows are put in order") {
  const std::vector<std::string> rows{"abcdefghij", "klmnopqrst", "uvwxyzABCD", "EFGHIJKLMN", "OPQRSTUVWX",
                                      "YZ01234567", "89+-*/()[]", "{}<>=!?.,;", "_@#$%^&|~:"};
  const Picture plain{.width = 10, .height = 9, .rows = rows};
  const Picture passes{.width = 10, .height = 9, .rows = test::interlaced(rows), .interlace = 1};
  CHECK(numbers_of(png_bytes(passes)) == numbers_of(png_bytes(plain)));
}

TEST_CASE("png: what says how to show a picture changes no number") {
  const std::string between = png_chunk("gAMA", big(45455, 4)) + png_chunk("sBIT", "\4") +
                              png_chunk("tEXt", std::string("Title\0x", 7)) + png_chunk("bKGD", big(7, 2));
  CHECK(numbers_of(png_bytes({.rows = {"ab"}, .between = between})) == Numbers{'a', 'b'});
}

struct BadFile {
  std::string bytes;
  std::string message;
};

const std::string kGood = png_bytes({.height = 2, .rows = {"ab", "cd"}});
constexpr std::ptrdiff_t kIhdr = 16;  // where its contents begin

/// The picture with other contents of its header, whose checksum fits.
std::string with_header(std::ptrdiff_t at, std::string_view value) {
  const std::string header = patched(kGood.substr(kIhdr, 13), at, value);
  return kGood.substr(0, 8) + png_chunk("IHDR", header) + kGood.substr(33);
}

std::vector<BadFile> bad_headers() {
  return {
      {"", "DLG0561 `x.png` is no PNG picture that can be read: it does not begin as PNG files do"},
      {"P5 2 2 255 abcd", "it does not begin as PNG files do"},
      {"\xff\xd8\xff\xe0", "| it looks like a JPEG: convert it, for example `convert x x.png`"},
      {"GIF89a", "| it looks like a GIF"},
      {"BM6", "| it looks like a BMP"},
      {"RIFF____WEBP", "| it looks like a WebP"},
      {"II*", "| it looks like a TIFF"},
      {"\x89PNG\n\x1a\n" + kGood.substr(8), "it does not begin as PNG files do"},
      {kGood.substr(0, 8), "it was cut short inside its header"},
      {kGood.substr(0, 32), "it was cut short inside its header"},
      {kGood.substr(0, 8) + kGood.substr(33), "its header is missing"},
      {patched(kGood, 11, "\x0c"), "its header is missing"},
      {patched(kGood, 29, "\xff\xff"), "CRC error"},
      {with_header(0, big(0, 4)), "it has 0 x 2 pixels, expected at least one"},
      {with_header(4, big(0, 4)), "it has 2 x 0 pixels, expected at least one"},
      {with_header(0, big(0x80000000, 4)), "it claims 2147483648 x 2 pixels, but"},
      {with_header(0, big(60'000, 4) + big(60'000, 4)),
       fmt::format("it claims 60000 x 60000 pixels, but {} bytes hold fewer", kGood.size())},
      {with_header(8, "\3"), "Invalid IHDR data"},
      {with_header(9, "\1"), "Invalid IHDR data"},
      {with_header(9, "\5"), "Invalid IHDR data"},
      {with_header(8, "\4\2"), "Invalid IHDR data"},
      {with_header(10, "\1"), "Invalid IHDR data"},
      {with_header(11, "\1"), "Invalid IHDR data"},
      {with_header(12, "\2"), "Invalid IHDR data"},
  };
}

std::vector<BadFile> bad_forms() {
  const std::string flatten =
      "| lay it on a background first, for example `convert x.png -background white -alpha remove -alpha off "
      "x.png`";
  const std::string two("\0\2", 2);
  return {
      {png_bytes({.depth = 16, .rows = {"aabb"}}),
       "DLG0562 the picture `x.png` has 16 bits for each number, expected at most 8: they would be rounded | "
       "write it "
       "with 8 bits"},
      {png_bytes({.depth = 16, .colour = 2, .rows = {"aabbccddeeff"}}), "has 16 bits for each number"},
      {png_bytes({.colour = 4, .rows = {"aAbB"}}), "has an alpha channel, which would be lost " + flatten},
      {png_bytes({.colour = 6, .rows = {"rgbaRGBA"}}), "has an alpha channel, which would be lost"},
      {png_bytes({.depth = 16, .colour = 6, .rows = {std::string(16, 'a')}}), "has an alpha channel"},
      {png_bytes({.rows = {"ab"}, .between = png_chunk("tRNS", big('a', 2))}),
       "has transparent pixels, which would be lost " + flatten},
      {png_bytes({.colour = 2, .rows = {"rgbRGB"}, .between = png_chunk("tRNS", big(1, 6))}),
       "has transparent pixels"},
      {png_bytes({.colour = 3, .rows = {two}, .between = kPalette + png_chunk("tRNS", "\x80")}),
       "has transparent pixels"},
  };
}

std::vector<BadFile> bad_contents() {
  const std::string two("\0\2", 2);
  const std::string rows = test::packed_rows({"ab", "cd"});
  return {
      {png_bytes({.colour = 3, .rows = {two}}), "Missing PLTE before IDAT"},
      {png_bytes({.colour = 3, .rows = {two}, .between = png_chunk("PLTE", "abcd")}), "PLTE: invalid"},
      {png_bytes({.colour = 3, .rows = {two}, .between = png_chunk("PLTE", "abcdef")}),
       "its pixel 1 has colour 2, but its palette has 2 colours"},
      {cut(kGood, 12), "it was cut short"},
      {cut(kGood, 20), "it was cut short"},
      {kGood.substr(0, 33), "it was cut short"},
      {kGood.substr(0, 33) + png_chunk("IEND", ""), "IEND: out of place"},
      {patched(kGood, -16, "\xff\xff"), "IDAT: CRC error"},
      {png_bytes({.height = 2, .packed = "no packed data"}), "IDAT: incorrect header check"},
      {png_bytes({.height = 2, .rows = {"ab"}}), "Not enough image data"},
      {png_bytes({.height = 1, .packed = rows}), "IDAT: Too much image data"},
      {png_bytes({.height = 2, .packed = patched(rows, -4, "\x7f\x7f")}), "IDAT: incorrect data check"},
      {png_bytes({.height = 1, .packed = test::zlib_bytes("\5ab")}), "bad adaptive filter value"},
      {kGood + "junk", "4 bytes follow its end"},
      {kGood + kGood, fmt::format("{} bytes follow its end", kGood.size())},
      {png_bytes({.height = 2, .rows = {"ab", "cd"}, .between = kGood.substr(8, 25)}), "IHDR: out of place"},
      {png_bytes({.height = 2, .rows = {"ab", "cd"}, .between = png_chunk("ABCD", "x")}),
       "ABCD: unhandled critical chunk"},
      {png_bytes({.height = 2, .rows = {"ab", "cd"}, .between = patched(png_chunk("tEXt", "x"), -1, "?")}),
       "tEXt: CRC error"},
      {png_bytes({.height = 2, .rows = {"ab", "cd"}, .between = patched(png_chunk("tEXt", "x"), 0, "\x7f")}),
       "tEXt: chunk data is too large"},
  };
}

TEST_CASE("png: bad pictures are refused in clear words") {
  std::size_t count = 0;
  for (const auto& files : {bad_headers(), bad_forms(), bad_contents()}) {
    for (const BadFile& file : files) {
      INFO(file.message);
      CHECK_THAT(fault_of(file.bytes), Catch::Contains(file.message));
      ++count;
    }
  }
  CHECK(count >= 40);
}

/// A folder of pictures whose paths begin with the class.
class Pictures {
 public:
  void add(const std::string& path, const Picture& picture) {
    std::filesystem::create_directories(std::filesystem::path(folder_ / path).parent_path());
    put_file(folder_ / path, png_bytes(picture));
    files_.push_back({folder_ / path, path, {}});
  }
  const std::vector<FileRequest>& files() const { return files_; }

 private:
  TestFolder folder_;
  std::vector<FileRequest> files_;
};

TEST_CASE("images: pictures are rows, their folders are classes") {
  Pictures pictures;
  pictures.add("cat/1.png", {.rows = {"ab"}});
  pictures.add("cat/2.png", {.rows = {"cd"}});
  pictures.add("ant/1.png", {.rows = {"ef"}});
  Diagnostics diagnostics;
  const auto rows = read_pictures(pictures.files(), diagnostics);
  REQUIRE(rows);
  CHECK(rows->rows == 3);
  CHECK(rows->row_shape == std::vector<std::int64_t>{1, 1, 2});
  CHECK(std::string(rows->bytes.begin(), rows->bytes.end()) == "abcdef");
  CHECK(rows->origin == "`cat/1.png` to `ant/1.png` (u8, shape (1, 1, 2))");
  const auto classes = read_folder_classes(pictures.files(), {}, diagnostics);
  REQUIRE(classes);
  CHECK(classes->names == std::vector<std::string>{"ant", "cat"});
  std::vector<double> numbers;
  append_numbers(classes->labels, {}, numbers);
  CHECK(numbers == std::vector<double>{1, 1, 0});
  CHECK(diagnostics_text(diagnostics) == "DLG0565 the class `ant` has one picture, `ant/1.png`");
}

TEST_CASE("images: pictures of two shapes are both named") {
  Pictures pictures;
  pictures.add("cat/1.png", {.rows = {"ab"}});
  pictures.add("cat/2.png", {.width = 3, .rows = {"cde"}});
  Diagnostics diagnostics;
  CHECK_FALSE(read_pictures(pictures.files(), diagnostics));
  CHECK_THAT(diagnostics_text(diagnostics),
             Catch::Contains(
                 "DLG0564 the pictures `cat/1.png` (u8, shape (1, 1, 2)) and `cat/2.png` (u8, shape (1, 1, "
                 "3)) differ in shape, expected pictures of one shape"));
}

TEST_CASE("images: a folder that the run does not know is refused") {
  Pictures pictures;
  pictures.add("cat/1.png", {.rows = {"ab"}});
  pictures.add("dog/1.png", {.rows = {"ab"}});
  Diagnostics diagnostics;
  CHECK(read_known_folder_classes(pictures.files(), {"ant", "cat", "dog"}, {}, diagnostics));
  CHECK_FALSE(read_known_folder_classes(pictures.files(), {"ant", "cat"}, {}, diagnostics));
  CHECK(diagnostics_text(diagnostics) ==
        "DLG0514 the class of `dog/1.png` is `dog`, expected one of ant and cat");
}

TEST_CASE("images: one class is a warning") {
  Pictures pictures;
  pictures.add("cat/1.png", {.rows = {"ab"}});
  pictures.add("cat/2.png", {.rows = {"ab"}});
  Diagnostics diagnostics;
  CHECK(read_folder_classes(pictures.files(), {}, diagnostics));
  CHECK(diagnostics_text(diagnostics) == "DLG0515 all pictures lie in the folder `cat`: there is one class");
}

TEST_CASE("images: rows fit as they are, without axes of 1, and as one axis") {
  const auto picture = parsed(png_bytes({.height = 3, .colour = 2, .rows = {"rgbRGB", "rgbRGB", "rgbRGB"}}));
  Diagnostics diagnostics;
  CHECK(check_image_shape(picture, {3, 3, 2}, {}, diagnostics));
  CHECK(check_image_shape(picture, {3, 3, 1, 2}, {}, diagnostics));
  CHECK(check_image_shape(picture, {18}, {}, diagnostics));
  CHECK(diagnostics.all().empty());
  CHECK_FALSE(check_image_shape(picture, {3, 6}, {}, diagnostics));
  CHECK(diagnostics_text(diagnostics) ==
        "DLG0564 the images of `x.png` (u8, shape (3, 3, 2)) do not fit the program, expected shape (3, 6) | "
        "`as "
        "[3, 3, 2]` takes each as it is, `as [18]` as one axis");
}

}  // namespace
}  // namespace dlg
