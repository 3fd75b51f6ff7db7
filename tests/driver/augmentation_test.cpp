// Owns the proof that images are augmented as std says: against plain C++ on the numbers that were drawn, by
// compiled code and interpreter, with derivatives; and that only a training augments.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>

#include "runtime/random.h"
#include "tests/catch.h"
#include "tests/driver/programs_in_tests.h"

namespace {

using namespace dlg;
using namespace dlg::testing;

constexpr int kChannels = 2;
constexpr int kRows = 3;
constexpr int kColumns = 4;
constexpr int kElements = kChannels * kRows * kColumns;
constexpr int kSamples = 40;
constexpr std::uint64_t kSeed = 5;

using Picture = std::vector<double>;

/// All pixels of all samples differ.
double pixel(int sample, int element) {
  return 1 + sample * kElements + element;
}

std::string data_block() {
  std::string rows;
  for (int sample = 0; sample < kSamples; ++sample) {
    std::string row;
    for (int element = 0; element < kElements; ++element)
      row += fmt::format("{}{}", element == 0 ? "" : ", ", pixel(sample, element));
    rows += fmt::format("{}[{}]", sample == 0 ? "" : ", ", row);
  }
  return rows;
}

/// The loss of a sample is the sum of its augmented pixels, each times its number.
std::string program_with(const std::string& augmented) {
  return fmt::format(R"(dlg 1
use f64
data d {{
  x = [{}]
}}
model net(x: [{}]) -> [] {{
  param w: [] = 1
  a = w * x as [chan: {}, row: {}, col: {}]
  y = {}
  return sum((y as [all:]) * (1 + float(iota({}))))
}}
train {{
  minimize  = net(d.x)
  optimizer = sgd(lr = 1e-300)
  seed      = {}
  stop      = [1 steps]
}}
)",
                     data_block(), kElements, kChannels, kRows, kColumns, augmented, kElements, kSeed);
}

/// Where each place of an augmented picture comes from; -1: from nowhere, it is 0.
using Origins = std::vector<int>;
using OriginsOf = std::function<Origins(std::uint64_t sample)>;

int place_of(int channel, int row, int column) {
  return (channel * kRows + row) * kColumns + column;
}

/// `from` answers the row and the column that a place comes from.
Origins origins_by(const std::function<std::pair<int, int>(int row, int column)>& from) {
  Origins origins;
  for (int element = 0; element < kElements; ++element) {
    const int channel = element / (kRows * kColumns);
    const auto [row, column] = from(element / kColumns % kRows, element % kColumns);
    const bool is_inside = row >= 0 && row < kRows && column >= 0 && column < kColumns;
    origins.push_back(is_inside ? place_of(channel, row, column) : -1);
  }
  return origins;
}

/// One of `count` places: that of the largest of as many uniform numbers.
int drawn_place(const std::string& path, std::uint64_t sample, int count) {
  const RandomStream stream(kSeed, path + ".uniform_like");
  std::vector<double> numbers;
  for (int i = 0; i < count; ++i) {
    const auto place = sample * static_cast<std::uint64_t>(count) + static_cast<std::uint64_t>(i);
    numbers.push_back(stream.uniform(0, place));
  }
  return static_cast<int>(std::max_element(numbers.begin(), numbers.end()) - numbers.begin());
}

/// One of them in the values of all.
Picture picture_of(const std::vector<double>& values, std::size_t which) {
  const auto begin = values.begin() + static_cast<std::ptrdiff_t>(which * kElements);
  return {begin, begin + kElements};
}

/// What a sample becomes, and the derivative of its loss by what it was.
void check_sample(const Picture& y, const Picture& da, const Origins& from, int sample) {
  Picture expected(kElements, 0);
  Picture derivative(kElements, 0);
  for (std::size_t element = 0; element < kElements; ++element) {
    if (from[element] < 0) continue;
    expected[element] = pixel(sample, from[element]);
    derivative[static_cast<std::size_t>(from[element])] += 1 + static_cast<double>(element);
  }
  CHECK(y == expected);
  for (std::size_t i = 0; i < kElements; ++i) CHECK(da[i] * kSamples == Approx(derivative[i]).epsilon(1e-12));
}

/// The values and the derivatives of both engines are those that `origins` says; how many of them differ.
std::size_t check_augmented(const std::string& augmented, const OriginsOf& origins) {
  const TempFolder folder;
  LoadedProgram program(folder.write("net.dlg", program_with(augmented)));
  INFO(augmented << program.errors());
  REQUIRE(program.is_ok());
  std::set<Origins> kinds;
  for (const auto& laboratory : {program.compiled(), program.reference()}) {
    const Observations seen = laboratory->observe(laboratory->initial());
    REQUIRE(laboratory->batch().size() == kSamples);
    for (std::size_t i = 0; i < kSamples; ++i) {
      const std::int64_t sample = laboratory->batch()[i];
      const Origins from = origins(static_cast<std::uint64_t>(sample));
      kinds.insert(from);
      check_sample(picture_of(seen.at("value.net.y"), i), picture_of(seen.at("grad.net.a"), i), from,
                   static_cast<int>(sample));
    }
  }
  return kinds.size();
}

TEST_CASE("a picture is mirrored where its row drew so") {
  for (const double p : {0.5, 0.25}) {
    const RandomStream stream(kSeed, "net.random_flip.bernoulli_like");
    const auto origins = [&](std::uint64_t sample) {
      const bool is_turned = stream.uniform(0, sample) < p;
      return origins_by(
          [&](int row, int column) { return std::pair(row, is_turned ? kColumns - 1 - column : column); });
    };
    CHECK(check_augmented(fmt::format("random_flip(a, {})", p), origins) == 2);
  }
  CHECK(check_augmented("random_flip(a, 0)", [](std::uint64_t) {
          return origins_by([](int row, int column) { return std::pair(row, column); });
        }) == 1);
}

OriginsOf shifted_by(int rows, int columns) {
  return [=](std::uint64_t sample) {
    const std::string path = "net.random_shift.shifted.random_place";
    const int up = drawn_place(path + "[0]", sample, 2 * rows + 1) - rows;
    const int left = drawn_place(path + "[1]", sample, 2 * columns + 1) - columns;
    return origins_by([&](int row, int column) { return std::pair(row + up, column + left); });
  };
}

TEST_CASE("a picture is moved by as many places as its row drew, zeros come in") {
  CHECK(check_augmented("random_shift(a, by = 1)", shifted_by(1, 1)) == 9);
  CHECK(check_augmented("random_shift(a)", shifted_by(2, 2)) > 15);
  CHECK(check_augmented("random_shift(a, by = [0, 2])", shifted_by(0, 2)) == 5);
  CHECK(check_augmented("random_shift(a, by = 0)", shifted_by(0, 0)) == 1);
  // Beyond the picture nothing is left of it.
  CHECK(check_augmented("random_shift(a, by = 6)", shifted_by(6, 6)) > 5);
}

OriginsOf without_hole(int tall, int wide) {
  return [=](std::uint64_t sample) {
    const std::string path = "net.cut_out.with_hole.random_stretch";
    const int top = drawn_place(path + "[0].random_place", sample, kRows) - tall / 2;
    const int side = drawn_place(path + "[1].random_place", sample, kColumns) - wide / 2;
    return origins_by([&](int row, int column) {
      const bool is_cut = row >= top && row < top + tall && column >= side && column < side + wide;
      return is_cut ? std::pair(-1, -1) : std::pair(row, column);
    });
  };
}

TEST_CASE("a square around the place that a row drew is cut out") {
  CHECK(check_augmented("cut_out(a, size = 1)", without_hole(1, 1)) == kRows * kColumns);
  CHECK(check_augmented("cut_out(a, size = 2)", without_hole(2, 2)) == kRows * kColumns);
  CHECK(check_augmented("cut_out(a, size = [3, 2])", without_hole(3, 2)) > 8);
  CHECK(check_augmented("cut_out(a)", without_hole(8, 8)) == 1);
}

TEST_CASE("augmentations are drawn anew in every step") {
  std::string text = program_with("random_shift(a, by = 2)");
  text.replace(text.find("1e-300"), 6, "1e-9");
  const TempFolder folder;
  LoadedProgram program(folder.write("net.dlg", text));
  REQUIRE(program.is_ok());
  const auto laboratory = program.compiled();
  const std::optional<StateValues> first = laboratory->train(1);
  const std::optional<StateValues> second = laboratory->train(2);
  REQUIRE((first && second));
  const double step = 1 - first->at("net.w").front();
  CHECK(step != 0);
  CHECK(first->at("net.w").front() - second->at("net.w").front() != Approx(step).epsilon(1e-6));
}

TEST_CASE("a prediction takes pictures as they are") {
  const EmptyWorkingFolder folder;
  std::ofstream("net.dlg") << program_with("a |> random_flip |> random_shift |> cut_out(2)");
  std::string csv = "x0";
  for (int i = 1; i < kElements; ++i) csv += fmt::format(",x{}", i);
  double expected = 0;
  csv += "\n";
  for (int i = 0; i < kElements; ++i) {
    csv += fmt::format("{}{}", i == 0 ? "" : ",", 2 * i + 3);
    expected += (2 * i + 3) * (i + 1);
  }
  std::ofstream("rows.csv") << csv << "\n";
  REQUIRE(call_dlg({"train", "net.dlg", "-q"}).exit_code == 0);
  const Called called = call_dlg({"predict", "net.dlg", "rows.csv"});
  INFO(called.err);
  REQUIRE(called.exit_code == 0);
  CHECK(leading_number(called.out.substr(called.out.find('\n') + 1)) == expected);
}

TEST_CASE("each move and each place is as likely as another") {
  constexpr int kDraws = 5000;
  constexpr int kPlaces = 5;
  std::vector<int> counts(kPlaces, 0);
  for (int i = 0; i < kDraws; ++i)
    ++counts[static_cast<std::size_t>(drawn_place("p", static_cast<std::uint64_t>(i), kPlaces))];
  // Six standard deviations of a count.
  for (const int count : counts) CHECK(std::abs(count - kDraws / kPlaces) < 6 * 29);
}

}  // namespace
