// Owns the measurement of contractions: the three forms of training against the multiply-add rate of this
// core. `bench_gemm [f64] [M N K]...` measures these sizes, without any those of the usual networks.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "bench/peak.h"
#include "codegen/jit.h"
#include "ir/loop/sum_order.h"
#include "ir/loop/text.h"
#include "ir/loop/verify.h"
#include "runtime/memory.h"
#include "support/check.h"
#include "support/diagnostic.h"
#include "passes/schedule/schedule_loops.h"
#include "passes/schedule/tile.h"

namespace dlg {
namespace {

/// y[m, n] = sum over k of a * b, in the order of all sums; each operand is stored along its last axis.
struct Form {
  const char* name;
  const char* a;  // axes of a, and where they stand in an element
  const char* b;
};

constexpr Form kForms[] = {
    {"X.W", "mk", "kn"},    // forward
    {"Xt.dY", "km", "kn"},  // gradient of the weights
    {"dY.Wt", "mk", "nk"},  // gradient of the input
};

/// The multiply-add rate of this core for one type of element.
struct Peak {
  const char* dtype;
  std::int64_t element_bytes;
  double rate;
};

constexpr int kRounds = 15;

struct Sizes {
  std::int64_t m;
  std::int64_t n;
  std::int64_t k;

  std::int64_t of(char axis) const { return axis == 'm' ? m : axis == 'n' ? n : k; }
};

std::string type_of(const char* axes, const Sizes& sizes, const char* dtype) {
  return fmt::format("{}[{}, {}]", dtype, sizes.of(axes[0]), sizes.of(axes[1]));
}

std::string element(const char* axes) {
  const auto var = [](char axis) { return axis == 'm' ? 'i' : axis == 'n' ? 'j' : 'k'; };
  return fmt::format("[{}, {}]", var(axes[0]), var(axes[1]));
}

std::int64_t bytes_of(std::int64_t a, std::int64_t b, const char* dtype) {
  return (a * b * (std::string(dtype) == "f32" ? 4 : 8) + 127) / 64 * 64;
}

std::string program_text(const Form& form, const Sizes& s, const char* dtype) {
  const std::int64_t b_at = bytes_of(s.m, s.k, dtype);
  const std::int64_t y_at = b_at + bytes_of(s.n, s.k, dtype);
  const std::int64_t end = y_at + bytes_of(s.m, s.n, dtype);
  std::string text = fmt::format("program batch 1\narena 0\nstate {}\noutput 0\nstop_test 0\n", end);
  text += fmt::format("buffer a: {} state 0 \"a\"\n", type_of(form.a, s, dtype));
  text += fmt::format("buffer b: {} state {} \"b\"\n", type_of(form.b, s, dtype), b_at);
  text += fmt::format("buffer y: {} state {} \"y\"\n", type_of("mn", s, dtype), y_at);
  text += fmt::format("kernel y {{\n%0 = const 0 : {}\nparallel i in 0..{} {{\nvector j in 0..{} {{\n", dtype,
                      s.m, s.n);
  const std::string chain = fmt::format(
      "carry (%1 = %0) -> (%2) {{\n%3 = load a{1} : {0}\n%4 = load b{2} : {0}\n%5 = fma %3, %4, %1 : {0}\n"
      "next (%5)\n}}\n",
      dtype, element(form.a), element(form.b));
  if (s.k <= loop::kLongestChain) {
    text += fmt::format("for k in 0..{} {}store y[i, j] = %2\n", s.k, chain);
  } else {
    text += fmt::format(
        "%6 = const -0 : {0}\nfor k0 in 0..{1} step {2} carry (%7 = %6) -> (%8) {{\nfor k in k0..{1} {3}"
        "%9 = add %7, %2 : {0}\nnext (%9)\n}}\nstore y[i, j] = %8\n",
        dtype, s.k, loop::kLongestChain, chain);
  }
  return text + "}\n}\n}\n";
}

loop::Program parsed(const std::string& text) {
  Sources sources;
  Diagnostics diagnostics;
  std::optional<loop::Program> program = loop::parse_program(sources, sources.add("gemm", text), diagnostics);
  DLG_CHECK(program.has_value(), text);
  return std::move(*program);
}

double seconds_of(const std::function<void()>& run) {
  const auto begin = std::chrono::steady_clock::now();
  run();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// Gflop/s of the best of several rounds.
double rate(const loop::Program& program, const Sizes& sizes, const CompiledProgram& code) {
  // As in a training: large blocks lie on large pages.
  std::optional<AlignedBlock> state = AlignedBlock::allocate(program.state_bytes);
  DLG_CHECK(state.has_value(), "memory for the operands");
  for (std::int64_t i = 0; i < program.state_bytes / 4; ++i) {
    const float small = 0.001F;
    std::memcpy(state->data() + 4 * i, &small, sizeof small);
  }
  DlgContext context{};
  context.state = state->data();
  const std::optional<AlignedBlock> scratch = AlignedBlock::allocate(code.scratch_bytes());
  DLG_CHECK(scratch.has_value(), "memory for scratch");
  context.scratch = scratch->data();
  context.rows_total = 1;
  context.previous_loss = context.stop_loss_below = context.stop_change_below = std::nan("");
  const double flops = 2.0 * static_cast<double>(sizes.m * sizes.n * sizes.k);
  const auto steps = std::max<std::int64_t>(1, static_cast<std::int64_t>(1e8 / flops));
  double best = std::numeric_limits<double>::max();
  for (int round = 0; round < kRounds; ++round) {
    best = std::min(best, seconds_of([&] { code.entry()(&context, steps); }));
  }
  return flops * static_cast<double>(steps) / best * 1e-9;
}

double part_of_peak(const Form& form, const Sizes& sizes, const Peak& peak, loop::TileShape tile) {
  loop::Core core = core_of(Target::kHost);
  core.tile = tile;
  const loop::Program program = parsed(program_text(form, sizes, peak.dtype));
  return 100 * rate(program, sizes, compile(schedule_loops(program, core), {})) / peak.rate;
}

/// The tile of the first panel.
loop::TileShape chosen_tile(const Sizes& sizes, const Peak& peak) {
  const loop::Core& core = core_of(Target::kHost);
  const auto [panel, rows] = choose_panels({sizes.m, sizes.n, sizes.m, peak.element_bytes}, core).front();
  return {rows, std::max(1U, panel.width * static_cast<unsigned>(peak.element_bytes) / core.vector_bytes)};
}

const std::vector<Sizes>& usual_sizes() {
  static const std::vector<Sizes> all = {{64, 64, 64},       {128, 128, 128}, {256, 256, 256}, {512, 512, 512},
                                  {1024, 1024, 1024}, {128, 256, 784}, {784, 256, 128}, {32, 256, 784},
                                  {784, 256, 32},     {128, 10, 256},  {256, 10, 128},  {128, 2048, 2048},
                                  {2048, 2048, 128}};
  return all;
}

void print_forms(const Peak& peak, const std::vector<Sizes>& all) {
  fmt::print("{} peak {:.0f} Gflop/s; m n k, the tile, and the part of the peak that each form reaches\n",
             peak.dtype, peak.rate);
  for (const Sizes& sizes : all) {
    const loop::TileShape tile = chosen_tile(sizes, peak);
    fmt::print("{:>5} {:>5} {:>5}  {:>2} rows x {} vectors", sizes.m, sizes.n, sizes.k, tile.rows,
               tile.vectors);
    for (const Form& form : kForms) {
      fmt::print("  {:>6} {:3.0f} %", form.name, part_of_peak(form, sizes, peak, {}));
    }
    fmt::print("\n");
  }
}

/// The other tiles of the menu, on one size.
void print_tiles(const Peak& peak) {
  constexpr Sizes kSizes{512, 512, 512};
  fmt::print("tiles at {} {} {}\n", kSizes.m, kSizes.n, kSizes.k);
  for (const unsigned vectors : {1U, 2U, 4U}) {
    for (const unsigned rows : {2U, 4U, 6U, 8U, 10U, 12U, 14U}) {
      const unsigned most = most_rows(vectors, core_of(Target::kHost));
      if (rows > most) continue;
      fmt::print("{:>2} rows x {} vectors", rows, vectors);
      for (const Form& form : kForms) {
        fmt::print("  {:>6} {:3.0f} %", form.name, part_of_peak(form, kSizes, peak, {rows, vectors}));
      }
      fmt::print("\n");
    }
  }
}

/// All contractions of a step of 784-256-10 together: the flops over the sum of the times.
void print_network(const Peak& peak, std::int64_t batch) {
  const std::vector<std::pair<const Form*, Sizes>> parts = {{&kForms[0], {batch, 256, 784}},
                                                            {&kForms[1], {784, 256, batch}},
                                                            {&kForms[2], {batch, 10, 256}},
                                                            {&kForms[1], {10, 256, batch}},
                                                            {&kForms[0], {batch, 256, 10}}};
  double flops = 0;
  double time = 0;
  for (const auto& [form, sizes] : parts) {
    const double products = static_cast<double>(sizes.m * sizes.n * sizes.k);
    const double part = part_of_peak(*form, sizes, peak, {});
    fmt::print("{:>5} {:>5} {:>5}  {:>6} {:3.0f} %\n", sizes.m, sizes.n, sizes.k, form->name, part);
    flops += products;
    time += products / part;
  }
  fmt::print("784-256-10 at batch {}, by flops: {:.0f} % of the peak\n", batch, flops / time);
}

}  // namespace
}  // namespace dlg

int main(int argc, char** argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  const bool is_double = !words.empty() && words.front() == "f64";
  if (is_double) words.erase(words.begin());
  const double rate = dlg::bench::multiply_add_rate() / (is_double ? 2 : 1);
  const dlg::Peak peak{is_double ? "f64" : "f32", is_double ? 8 : 4, rate};
  std::vector<dlg::Sizes> own;
  for (std::size_t i = 0; i + 2 < words.size(); i += 3) {
    own.push_back({std::stoll(words[i]), std::stoll(words[i + 1]), std::stoll(words[i + 2])});
  }
  dlg::print_forms(peak, own.empty() ? dlg::usual_sizes() : own);
  if (!own.empty()) return 0;
  dlg::print_network(peak, 128);
  dlg::print_tiles(peak);
}
