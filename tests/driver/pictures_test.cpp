// Owns the tests of pictures: what was written, read again by libpng, against pixels that plain C++ computes.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "driver/pictures/bitmap_font.h"
#include "driver/pictures/confusion.h"
#include "driver/pictures/sheet.h"
#include "support/text.h"
#include "tests/catch.h"
#include "tests/driver/png_reading.h"
#include "tests/driver/programs_in_tests.h"

namespace {

using namespace dlg;
using namespace dlg::testing;

Called must_call(const std::vector<std::string>& arguments) {
  const Called called = call_dlg(arguments);
  CAPTURE(arguments, called.out, called.err);
  REQUIRE(called.exit_code == 0);
  return called;
}

/// Where an image stands in a sheet without words: the middle of a pixel of its image.
struct Places {
  std::size_t zoom = 1;
  std::size_t rows = 1;
  std::size_t columns = 1;

  Rgb pixel(const Raster& sheet, std::size_t down, std::size_t across, std::size_t place) const {
    const std::size_t y = 2 + down * (rows * zoom + 2) + place / columns * zoom;
    const std::size_t x = 2 + across * (columns * zoom + 2) + place % columns * zoom;
    const Rgb color = sheet.at(y, x);
    CHECK(sheet.at(y + zoom - 1, x + zoom - 1) == color);
    return color;
  }
};

/// Of a number between what is black and what is white.
Rgb shade_of(double value, double black, double white) {
  return grey(static_cast<unsigned char>(std::lround((value - black) / (white - black) * 255)));
}

TEST_CASE("letters of PNG files are those of their font") {
  const auto rows_of = [](char32_t character) {
    std::string text;
    for (std::size_t row = 0; row < kGlyphRows; ++row) {
      for (const unsigned char column : glyph_of(character)) text += (column >> row & 1) != 0 ? '#' : '.';
      text += '\n';
    }
    return text;
  };
  CHECK(rows_of(U'A') == ".###.\n#...#\n#...#\n#...#\n#####\n#...#\n#...#\n");
  CHECK(rows_of(U'7') == "#####\n....#\n...#.\n..#..\n.#...\n.#...\n.#...\n");
  CHECK(rows_of(U'l') == ".##..\n..#..\n..#..\n..#..\n..#..\n..#..\n.###.\n");
  CHECK(rows_of(U' ') == ".....\n.....\n.....\n.....\n.....\n.....\n.....\n");
  // Everything else is a frame, and no two characters of ASCII look the same.
  CHECK(glyph_of(U'\u00e4') == glyph_of(U'\x7f'));
  for (char32_t a = U' '; a < U'\x7f'; ++a) {
    for (char32_t b = a + 1; b <= U'\x7f'; ++b) CHECK(glyph_of(a) != glyph_of(b));
  }
}

TEST_CASE("words are cut, and what cannot be written is told") {
  CHECK(shown_words("seven", 5) == "seven");
  CHECK(shown_words("twenty", 5) == "twe..");
  CHECK(shown_words("a\tb\xff\u202e", 9) == "a?b??");
  CHECK(shown_words("\u00e4\u00f6\u00fc\u00df", 4) == "\u00e4\u00f6\u00fc\u00df");
  CHECK(shown_words("\u00e4\u00f6\u00fc\u00df", 3) == "\u00e4..");
  CHECK(width_of_words("") == 0);
  CHECK(width_of_words("\u00e4b") == 22);
}

TEST_CASE("shades: 0 is black or grey, NaN red, and no large number is lost") {
  const double nan = std::nan("");
  CHECK(shades_of(std::vector<double>{0.5, 2, nan}).white == 2);
  CHECK(shades_of(std::vector<double>{0.5, 2, nan}).black == 0);
  CHECK(shades_of(std::vector<double>{0.5, -2}).black == -2);
  CHECK(shades_of(std::vector<double>{0, 0}).white == 1);
  const std::vector<double> values{0, 1e308, -1e308, nan, INFINITY, -INFINITY};
  const Raster image = shaded_image(values, {1, 1, 6}, shades_of(values));
  CHECK(image.pixels == std::vector<Rgb>{grey(128), kWhite, kBlack, {220, 0, 0}, kWhite, kBlack});
}

TEST_CASE("which values are images, and how many") {
  CHECK(image_size(Shape{4})->rows == 2);
  CHECK(image_size(Shape{3, 5, 4})->channels == 3);
  CHECK_FALSE(image_size(Shape{2, 5, 4}));
  CHECK_FALSE(image_size(Shape{5}));
  CHECK_FALSE(image_size(Shape{}));
  CHECK_FALSE(image_size(Shape{1, 1, 2, 2}));
  CHECK(planes_of(Shape{7, 5, 4})->count == 7);
  CHECK(planes_of(Shape{7, 5, 4})->across == 3);
  CHECK(planes_of(Shape{9000, 1, 1})->chosen.size() == kMostImages);
  CHECK(counted_images(*planes_of(Shape{9000, 1, 1}), "plane") == "4096 of 9000 planes");
  const ImageList filters = *filters_of(Shape{8, 3, 5, 5});
  CHECK(filters.size.channels == 3);
  CHECK(filters.count == 8);
  const ImageList planes = *filters_of(Shape{70, 66, 3, 3});
  CHECK(planes.across == 64);
  CHECK(planes.count == 70 * 66);
  CHECK(planes.chosen.size() == 64 * 64);
  CHECK(planes.chosen[64] == 66);
  CHECK(filters_of(Shape{10, 16})->count == 10);
  CHECK(filters_of(Shape{10, 15})->count == 1);
  CHECK_FALSE(filters_of(Shape{10}));
}

TEST_CASE("images stand in an SVG file as PNG") {
  Sheet sheet{.cells = {{shaded_image(std::vector<double>{0, 1}, {1, 1, 2}, {0, 1}), {"<7> & \"8\""}}}};
  const std::string svg = picture_bytes(sheet_drawing(sheet), PictureFormat::kSvg);
  CHECK(svg.find("&lt;7&gt; &amp; &quot;8&quot;</text>") != std::string::npos);
  const std::string before = "href=\"data:image/png;base64,";
  const std::size_t begin = svg.find(before);
  REQUIRE(begin != std::string::npos);
  const std::string data =
      svg.substr(begin + before.size(), svg.find('"', begin + before.size()) - begin - before.size());
  CHECK(data == base64_text(png_bytes(sheet.cells.front().image)));
  CHECK(data.starts_with("iVBORw0KGgo"));
}

constexpr const char* kPlanes = R"(dlg 1
use f64
data d {
  x = [[1, 2, 3, 4, 5, 6, 7, 8], [8, 7, 6, 5, 4, 3, 2, 1]]
  t = [1, 2]
}
model net(x: [8]) -> [] {
  param w: [] = 1
  h = w * x as [chan: 2, row: 1, col: 4]
  z = h - 5
  flat = w * x[0..3]
  return sum(z) + sum(flat)
}
train {
  minimize  = mse(net(d.x), d.t)
  optimizer = sgd(lr = 0.01)
  stop      = [1 steps]
}
)";

TEST_CASE("step: the planes of a value, those of the first image by default") {
  const EmptyWorkingFolder folder;
  std::ofstream("net.dlg") << kPlanes;
  const Called called = must_call({"step", "net.dlg", "--picture", "h.png", "--sample", "1"});
  CHECK(called.out == "wrote h.png: 2 planes of 1 x 4, net.h of sample 1; 0 is black, 8 white\n");
  const Raster h = read_png(read_text("h.png"));
  const Places places{.zoom = 32, .rows = 1, .columns = 4};
  CHECK(h.columns == 2 * (4 * 32 + 2) + 2);
  CHECK(h.rows == 32 + 4);
  CHECK(h.at(0, 0) == Rgb{64, 96, 144});
  for (std::size_t i = 0; i < 8; ++i)
    CHECK(places.pixel(h, 0, i / 4, i % 4) == shade_of(8.0 - static_cast<double>(i), 0, 8));
  for (const char* const name : {"net.z", "z"}) {
    must_call({"step", "net.dlg", "--picture", "z.png", "--of", name, "--engine", "interpreter"});
    const Raster z = read_png(read_text("z.png"));
    for (std::size_t i = 0; i < 8; ++i)
      CHECK(places.pixel(z, 0, i / 4, i % 4) == shade_of(static_cast<double>(i) - 4, -4, 4));
  }
  // A square of numbers in one axis; a derivative, which is the same everywhere.
  CHECK(must_call({"step", "net.dlg", "--picture", "d.png", "--of", "dz"}).out.find("dnet.z of sample 0") !=
        std::string::npos);
  CHECK(must_call({"step", "net.dlg", "--picture", "f.svg", "--of", "flat"}).out.find("1 plane of 2 x 2") !=
        std::string::npos);
  CHECK(
      must_call({"step", "net.dlg", "--picture", "d.png", "--of", "dnet.z"}).out.find("dnet.z of sample 0") !=
      std::string::npos);
  const Raster derivative = read_png(read_text("d.png"));
  CHECK(places.pixel(derivative, 0, 0, 0) == places.pixel(derivative, 0, 1, 3));
}

/// Two classes of images of 2 x 2; the classes have names.
constexpr const char* kClasses = R"(dlg 1
use f64
data d {
  file = csv("rows.csv")
  x = columns("a", "b", "c", "d")
  t = class(column("kind"))
}
model net(x: [4]) -> [3] {
  param W: [3, 4] = [[1, 0, -0.5, 0], [0, 1, 0, 0.25], [0, 0, 1, -1]]
  return W @ x
}
train {
  minimize  = cross_entropy(net(d.x), d.t)
  optimizer = sgd(lr = 1e-300)
  stop      = [1 steps]
}
)";

constexpr double kWeights[3][4] = {{1, 0, -0.5, 0}, {0, 1, 0, 0.25}, {0, 0, 1, -1}};
const std::vector<std::string> kNames = {"cat", "dog", "owl"};

struct Row {
  std::vector<double> x;
  std::size_t truth;

  std::vector<double> logits() const {
    std::vector<double> z(3, 0);
    for (std::size_t i = 0; i < 3; ++i)
      z[i] = std::inner_product(x.begin(), x.end(), std::begin(kWeights[i]), 0.0);
    return z;
  }
  std::size_t taken() const {
    const std::vector<double> z = logits();
    return static_cast<std::size_t>(std::max_element(z.begin(), z.end()) - z.begin());
  }
  double loss() const {
    double sum = 0;
    for (const double z : logits()) sum += std::exp(z);
    return std::log(sum) - logits()[truth];
  }
};

/// No two have the same loss.
const std::vector<Row> kRows = {{{1, 0, 0.25, 0}, 0},   {{0, 1, 0, 0.5}, 1},  {{0.5, 0.75, 0, 1}, 0},
                                {{0, 0, 1, 0.125}, 2},  {{1, 0.25, 0, 1}, 2}, {{0.75, 0, 0.5, 0}, 0},
                                {{0, 0.5, 0.125, 0}, 1}};

void train_classes() {
  std::ofstream("net.dlg") << kClasses;
  std::ofstream rows("rows.csv");
  rows << "a,b,c,d,kind\n";
  for (const Row& row : kRows)
    rows << fmt::format("{},{},{},{},{}\n", row.x[0], row.x[1], row.x[2], row.x[3], kNames[row.truth]);
  rows.close();
  must_call({"train", "net.dlg", "-q"});
}

std::vector<int> counts() {
  std::vector<int> table(9, 0);
  for (const Row& row : kRows) ++table[row.truth * 3 + row.taken()];
  return table;
}

TEST_CASE("eval: the confusion of classes in the terminal, as CSV and as JSON") {
  const EmptyWorkingFolder folder;
  train_classes();
  const std::vector<int> table = counts();
  // Every class was taken for another one, and one was never right.
  REQUIRE(std::count(table.begin(), table.end(), 0) < 5);
  std::string csv = "class,cat,dog,owl\n";
  for (std::size_t i = 0; i < 3; ++i)
    csv += fmt::format("{},{},{},{}\n", kNames[i], table[3 * i], table[3 * i + 1], table[3 * i + 2]);
  const Called called = must_call({"eval", "net.dlg", "--confusion", "c.csv"});
  CHECK(called.out.ends_with("wrote c.csv: 7 rows of train in 3 classes\n"));
  CHECK(read_text("c.csv") == csv);
  const std::string text = must_call({"eval", "net.dlg", "--confusion"}).out;
  CHECK(text.find("train confusion\n       cat  dog  owl\n") != std::string::npos);
  CHECK(text.find(fmt::format("  owl    {}    {}    {}\n", table[6], table[7], table[8])) !=
        std::string::npos);
  const std::string json = must_call({"eval", "net.dlg", "--confusion", "--json"}).out;
  CHECK(json.find(fmt::format("\"train.confusion\":[[{},{},{}],[", table[0], table[1], table[2])) !=
        std::string::npos);
  CHECK(must_call({"eval", "net.dlg", "--confusion", "c.csv", "--json"}).out.find("\"wrote\":[\"c.csv\"]") !=
        std::string::npos);
}

TEST_CASE("eval: the confusion of classes as a picture") {
  const EmptyWorkingFolder folder;
  train_classes();
  must_call({"eval", "net.dlg", "--confusion", "c.png"});
  const Raster image = read_png(read_text("c.png"));
  const std::vector<int> table = counts();
  // Cells of 46 pixels behind names of 34 and a gap of 6, below two lines of 20.
  for (std::size_t i = 0; i < 9; ++i) {
    const std::size_t row = i / 3;
    const int all = table[3 * row] + table[3 * row + 1] + table[3 * row + 2];
    const double share = static_cast<double>(table[i]) / all;
    const Rgb full = row == i % 3 ? Rgb{31, 86, 160} : Rgb{178, 24, 43};
    const Rgb color = image.at(48 + row * 47 + 1, 48 + i % 3 * 47 + 1);
    CHECK(color.red == std::lround(255 + (full.red - 255) * share));
    CHECK(color.green == std::lround(255 + (full.green - 255) * share));
    CHECK(color.blue == std::lround(255 + (full.blue - 255) * share));
  }
}

TEST_CASE("the SVG file of confusions") {
  const TableValue table{2, 2, {3, 1, 0, 2}, {"a", "<b>"}};
  CHECK(
      picture_bytes(confusion_drawing(table, "test"), PictureFormat::kSvg) ==
      R"(<svg xmlns="http://www.w3.org/2000/svg" width="422" height="150" viewBox="0 0 422 150" font-family="monospace" font-size="20">
<rect x="0" y="0" width="422" height="150" fill="#ffffff"/>
<rect x="47" y="47" width="95" height="95" fill="#dddddd"/>
<rect x="48" y="48" width="46" height="46" fill="#5780b8"/>
<rect x="95" y="48" width="46" height="46" fill="#ecc5ca"/>
<rect x="48" y="95" width="46" height="46" fill="#ffffff"/>
<rect x="95" y="95" width="46" height="46" fill="#1f56a0"/>
<text x="8" y="22" textLength="406" fill="#000000">test: class down, taken for across</text>
<text x="66" y="42" textLength="10" fill="#000000">a</text>
<text x="32" y="78" textLength="10" fill="#000000">a</text>
<text x="101" y="42" textLength="34" fill="#000000">&lt;b&gt;</text>
<text x="8" y="125" textLength="34" fill="#000000">&lt;b&gt;</text>
<text x="66" y="78" textLength="10" fill="#ffffff">3</text>
<text x="113" y="78" textLength="10" fill="#000000">1</text>
<text x="113" y="125" textLength="10" fill="#ffffff">2</text>
</svg>
)");
  // Of many classes only the squares.
  const std::vector<std::string> names(65, "x");
  const Drawing many = confusion_drawing({65, 65, std::vector<double>(65 * 65, 1), names}, "test");
  CHECK(many.words.empty());
  CHECK(many.width == 65 * 4 + 16);
}

/// The words of an SVG file, in order.
std::vector<std::string> words_of(const std::string& svg) {
  std::vector<std::string> words;
  for (std::size_t at = svg.find("<text"); at != std::string::npos; at = svg.find("<text", at + 1)) {
    const std::size_t begin = svg.find('>', at) + 1;
    words.push_back(svg.substr(begin, svg.find("</text>", begin) - begin));
  }
  return words;
}

TEST_CASE("eval: the rows with the largest loss, the worst first") {
  const EmptyWorkingFolder folder;
  train_classes();
  std::vector<std::size_t> order(kRows.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [](std::size_t a, std::size_t b) { return kRows[a].loss() > kRows[b].loss(); });
  std::vector<std::string> expected;
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < 5; ++i) {
    const Row& row = kRows[order[i]];
    wrong += row.truth == row.taken() ? 0 : 1;
    expected.push_back(row.truth == row.taken() ? kNames[row.truth]
                                                : kNames[row.truth] + " as " + kNames[row.taken()]);
    expected.push_back("loss " + rounded_text(row.loss(), 3));
    expected.push_back(fmt::format("row {}", order[i]));
  }
  const Called called = must_call({"eval", "net.dlg", "--mistakes", "m.svg", "--count", "5"});
  CHECK(called.out.ends_with(fmt::format(
      "wrote m.svg: the 5 rows of train with the largest loss, {} of them taken for another class\n",
      wrong)));
  CHECK(words_of(read_text("m.svg")) == expected);
  must_call({"eval", "net.dlg", "--mistakes", "m.png", "--count", "1"});
  const Raster worst = read_png(read_text("m.png"));
  const std::vector<double>& x = kRows[order[0]].x;
  const double white = *std::max_element(x.begin(), x.end());
  for (std::size_t i = 0; i < 4; ++i)
    CHECK(worst.at(8 + i / 2 * 48, 8 + i % 2 * 48) == shade_of(x[i], 0, white));
  // Its words are red.
  CHECK(std::count(worst.pixels.begin(), worst.pixels.end(), Rgb{178, 24, 43}) > 100);
}

TEST_CASE("rows without a weight are no mistakes") {
  const EmptyWorkingFolder folder;
  std::string text = kClasses;
  const std::string before = "  minimize  = ";
  text.replace(text.find(before), 0, "  weights   = where(d.x[0] == 1, 0, 1)\n");
  train_classes();
  std::ofstream("net.dlg") << text;
  must_call({"train", "net.dlg", "-q"});
  const Called called = must_call({"eval", "net.dlg", "--mistakes", "m.svg"});
  CHECK(called.out.find("the 5 rows of train") != std::string::npos);
  const std::vector<std::string> words = words_of(read_text("m.svg"));
  CHECK(std::find(words.begin(), words.end(), "row 0") == words.end());
  CHECK(std::find(words.begin(), words.end(), "row 1") != words.end());
}

TEST_CASE("eval: weights as images, each unit of a dense layer, each channel of a convolution") {
  const EmptyWorkingFolder folder;
  train_classes();
  const Called called = must_call({"eval", "net.dlg", "--filters", "w.png"});
  CHECK(called.out.ends_with("wrote w.png: 3 images of 2 x 2, net.W; -1 is black, 0 grey, 1 white\n"));
  const Raster sheet = read_png(read_text("w.png"));
  const Places places{.zoom = 16, .rows = 2, .columns = 2};
  for (std::size_t i = 0; i < 12; ++i) {
    const std::size_t unit = i / 4;
    CHECK(places.pixel(sheet, unit / 2, unit % 2, i % 4) == shade_of(kWeights[unit][i % 4], -1, 1));
  }
  for (const char* const path : {"net.W", "W", "net"})
    must_call({"eval", "net.dlg", "--filters", "x.png", "--of", path});
  CHECK(read_text("x.png") == read_text("w.png"));
}

/// A convolution of two units over so many channels, trained by nothing; its weights in `w.png`.
std::vector<double> drawn_filters(int channels) {
  std::ofstream("net.dlg") << fmt::format(R"(dlg 1
use f64
data d {{
  x = [[1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3]]
}}
model net(x: [12]) -> [] {{
  param W: [units: 2, chan: {0}, tall: 1, wide: 2] = uniform(-1, 1)
  y = convolved(x as [chan: {0}, row: {1}, col: 2], W)
  return sum(y)
}}
train {{
  minimize  = net(d.x)
  optimizer = sgd(lr = 1e-300)
  stop      = [1 steps]
}}
)",
                                          channels, 6 / channels);
  must_call({"train", "net.dlg", "-q"});
  must_call({"eval", "net.dlg", "--filters", "w.png"});
  LoadedProgram program("net.dlg");
  return program.compiled()->initial().at("net.W");
}

/// The shades of weights, 0 in the middle.
std::vector<unsigned char> signed_shades_of(const std::vector<double>& weights) {
  double most = 0;
  for (const double weight : weights) most = std::max(most, std::abs(weight));
  std::vector<unsigned char> shades;
  for (const double weight : weights) shades.push_back(shade_of(weight, -most, most).red);
  return shades;
}

constexpr Places kFilterPlaces{.zoom = 32, .rows = 1, .columns = 2};

TEST_CASE("eval: filters of three channels are in colour") {
  const EmptyWorkingFolder folder;
  const std::vector<unsigned char> w = signed_shades_of(drawn_filters(3));
  const Raster sheet = read_png(read_text("w.png"));
  for (std::size_t i = 0; i < 4; ++i) {
    const std::size_t first = i / 2 * 6 + i % 2;
    CHECK(kFilterPlaces.pixel(sheet, 0, i / 2, i % 2) == Rgb{w[first], w[first + 2], w[first + 4]});
  }
}

TEST_CASE("eval: filters of two channels are a row of planes for each unit") {
  const EmptyWorkingFolder folder;
  const std::vector<unsigned char> w = signed_shades_of(drawn_filters(2));
  const Raster sheet = read_png(read_text("w.png"));
  for (std::size_t i = 0; i < 8; ++i)
    CHECK(kFilterPlaces.pixel(sheet, i / 4, i / 2 % 2, i % 2) == grey(w[i]));
}

TEST_CASE("samples are images of their own, black at 0 and white at 1") {
  const EmptyWorkingFolder folder;
  std::ofstream("net.dlg") << R"(dlg 1
use f64
model net() -> [] {
  param w: [] = 0
  return w^2
}
train {
  minimize  = net()
  optimizer = sgd(lr = 0.1)
  stop      = [1 steps]
  sample    = 2 * uniform_like(spread(0, 4)) - 0.5
}
)";
  must_call({"train", "net.dlg", "-q"});
  must_call({"sample", "net.dlg", "--count", "3", "--picture", "s.png", "--out", "s.csv"});
  const Raster sheet = read_png(read_text("s.png"));
  const std::string csv = read_text("s.csv");
  const Places places{.zoom = 16, .rows = 2, .columns = 2};
  std::size_t at = csv.find('\n') + 1;
  for (std::size_t i = 0; i < 12; ++i) {
    const double value = std::clamp(leading_number(csv.substr(at)), 0.0, 1.0);
    at = csv.find_first_of(",\n", at) + 1;
    CHECK(places.pixel(sheet, i / 4 / 2, i / 4 % 2, i % 4) == shade_of(value, 0, 1));
  }
}

TEST_CASE("pictures of a real network: its confusions are those of its predictions") {
  const std::string file = source_path("examples/digits/cnn.dlg");
  const EmptyWorkingFolder folder;
  must_call({"train", file, "-q", "--set", "stop=2 epochs"});
  const Called called = must_call(
      {"eval", file, "--confusion", "c.csv", "--mistakes", "m.png", "--filters", "f.png", "--part", "val"});
  CHECK(called.out.find("wrote f.png: 16 images of 3 x 3, cnn.conv2d[0].W") != std::string::npos);
  const Raster filters = read_png(read_text("f.png"));
  CHECK(filters.columns == 4 * 32 + 2);
  const std::string csv = read_text("c.csv");
  double right = 0;
  double all = 0;
  std::size_t line = 0;
  for (const std::string_view row : split_text(csv, '\n')) {
    const std::vector<std::string_view> cells = split_text(row, ',');
    if (cells.size() != 11 || line++ == 0) continue;
    for (std::size_t i = 1; i < cells.size(); ++i) all += *parse_number(cells[i]);
    right += *parse_number(cells[line - 1]);
  }
  CHECK(all == 270);
  CHECK(called.out.find(fmt::format("val accuracy {:.2f} %", 100 * right / all)) != std::string::npos);
  must_call({"step", file, "--picture", "s.png"});
  CHECK(read_png(read_text("s.png")).rows > 100);
}

TEST_CASE("a picture takes the place of no input, and its ending says what it is") {
  const EmptyWorkingFolder folder;
  train_classes();
  std::filesystem::rename("rows.csv", "rows.png");
  std::ofstream("net.dlg", std::ios::app) << "# a comment\n";
  const std::string set = "d.file=csv(\"rows.png\")";
  const std::string before = read_text("rows.png");
  const std::vector<std::vector<std::string>> calls = {
      {"eval", "net.dlg", "--confusion", "rows.png"},
      {"eval", "net.dlg", "--mistakes", "rows.png"},
      {"eval", "net.dlg", "--filters", "rows.png"},
      {"step", "net.dlg", "--picture", "rows.png", "--of", "net"}};
  for (std::vector<std::string> call : calls) {
    call.insert(call.end(), {"--set", set});
    const Called called = call_dlg(call);
    CAPTURE(called.err);
    CHECK(called.exit_code == 1);
    CHECK(called.err.find("DLG0630") != std::string::npos);
    CHECK(read_text("rows.png") == before);
  }
}

}  // namespace
