// Owns the measurement of contractions: the three forms of training against the multiply-add rate of this
// core.
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
#include "ir/loop/text.h"
#include "ir/loop/verify.h"
#include "support/check.h"
#include "support/diagnostic.h"

namespace dlg {
namespace {

/// y[m, n] = sum over k of a * b; each operand is stored along its last axis.
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
  text += fmt::format("for k in 0..{} carry (%1 = %0) -> (%2) {{\n%3 = load a{} : {}\n%4 = load b{} : {}\n",
                      s.k, element(form.a), dtype, element(form.b), dtype);
  text += fmt::format("%5 = fma %3, %4, %1 : {}\nnext (%5)\n}}\nstore y[i, j] = %2\n}}\n}}\n}}\n", dtype);
  return text;
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
double rate(const Form& form, const Sizes& sizes, const char* dtype, Target target) {
  const loop::Program program = parsed(program_text(form, sizes, dtype));
  const CompiledProgram code = compile(program, target);
  std::vector<float> memory(static_cast<std::size_t>(program.state_bytes / 4 + 16), 0.001F);
  auto* state = reinterpret_cast<unsigned char*>(memory.data());
  state += (64 - reinterpret_cast<std::uintptr_t>(state) % 64) % 64;
  DlgContext context{};
  context.state = state;
  context.rows_total = 1;
  context.previous_loss = context.stop_loss_below = context.stop_change_below = std::nan("");
  const double flops = 2.0 * static_cast<double>(sizes.m * sizes.n * sizes.k);
  const auto steps = std::max<std::int64_t>(1, static_cast<std::int64_t>(4e8 / flops));
  double best = std::numeric_limits<double>::max();
  for (int round = 0; round < 7; ++round) {
    best = std::min(best, seconds_of([&] { code.entry()(&context, steps); }));
  }
  return flops * static_cast<double>(steps) / best * 1e-9;
}

void print_table(const char* dtype, Target target) {
  const std::vector<Sizes> all = {{64, 64, 64},       {128, 128, 128}, {256, 256, 256}, {512, 512, 512},
                                  {1024, 1024, 1024}, {128, 256, 784}, {784, 256, 128}, {32, 256, 784},
                                  {784, 256, 32},     {128, 10, 256},  {256, 10, 128},  {128, 2048, 2048}};
  const double peak = bench::multiply_add_rate() / (std::string(dtype) == "f64" ? 2 : 1);
  fmt::print("{} peak {:.0f} Gflop/s; m n k and the part of it that each form reaches\n", dtype, peak);
  for (const Sizes& sizes : all) {
    fmt::print("{:>5} {:>5} {:>5}", sizes.m, sizes.n, sizes.k);
    for (const Form& form : kForms) {
      fmt::print("  {:>6} {:4.0f} %", form.name, 100 * rate(form, sizes, dtype, target) / peak);
    }
    fmt::print("\n");
  }
}

}  // namespace
}  // namespace dlg

int main(int argc, char** argv) {
  const std::string dtype = argc > 1 ? argv[1] : "f32";
  dlg::print_table(dtype == "f64" ? "f64" : "f32", dlg::Target::kHost);
}
