// Owns the proof that layers of images go together: behind a convolution each pair of them passes `dlg
// check`, which stores every derivative beside what the next layer reads.
#include <fmt/format.h>

#include <array>
#include <string_view>

#include "tests/catch.h"
#include "tests/driver/programs_in_tests.h"

namespace {

using namespace dlg::testing;

constexpr std::array<std::string_view, 6> kLayers{"batch_norm", "relu",     "max_pool(3, stride = 1)",
                                                  "max_pool",   "avg_pool", "conv2d(3)"};
constexpr int kSamples = 16;
constexpr int kPixels = 2 * 6 * 6;

/// Numbers without ties, one list a sample.
std::string images() {
  std::string rows;
  for (int sample = 0; sample < kSamples; ++sample) {
    std::string row;
    for (int pixel = 0; pixel < kPixels; ++pixel)
      row += fmt::format("{}{}", pixel == 0 ? "" : ", ", (sample * 7919 + pixel * 104729) % 1009 / 1009.0);
    rows += fmt::format("{}[{}]", sample == 0 ? "" : ", ", row);
  }
  return rows;
}

std::string program_with(std::string_view first, std::string_view second) {
  return fmt::format(R"(dlg 1
data d {{
  x = [{}]
}}
model net(x: [72]) -> [2] {{
  seen = x as [chan: 2, row: 6, col: 6]
  return seen |> conv2d(4) |> {} |> {} |> flatten |> dense(2)
}}
train {{
  minimize  = sum(net(d.x)^2)
  optimizer = adam(lr = 0.01)
  batch     = {}
  stop      = [2 steps]
}}
)",
                     images(), first, second, kSamples);
}

TEST_CASE("image layers of each pair behind a convolution pass their checks") {
  const TempFolder folder;
  for (const std::string_view first : kLayers) {
    for (const std::string_view second : kLayers) {
      const std::string file = folder.write("net.dlg", program_with(first, second));
      const Called check = call_dlg({"check", file, "--no-cache"});
      CAPTURE(first, second, check.out, check.err);
      CHECK(check.exit_code == 0);
    }
  }
}

}  // namespace
