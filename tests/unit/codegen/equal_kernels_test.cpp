// Owns the tests of kernels that are one function: which are equal, and that each works on its own buffers.
#include <fmt/format.h>

#include "codegen/equal_kernels.h"
#include "tests/catch.h"
#include "tests/step_forms.h"
#include "tests/unit/codegen/harness.h"

namespace dlg {
namespace {

/// to[i, j] = from[i, j] + `number`.
std::string sum_of(const std::string& from, const std::string& to, double number) {
  return fmt::format(
      "%0 = const {} : f32\nparallel i in 0..64 {{\nvector j in 0..40 {{\n%1 = load {}[i, j] : f32\n"
      "%2 = add %1, %0 : f32\nstore {}[i, j] = %2\n}}\n}}\n",
      number, from, to);
}

TEST_CASE("equal kernels: one function for all that differ in their buffers alone") {
  ProgramWriter text;
  for (const char* name : {"a", "b"}) text.state(name, "f32[64, 40]");
  text.state("turned", "f32[64, 40]", "order [1, 0] ");
  text.state("wide", "f64[64, 40]");
  for (const char* name : {"p", "q", "r", "s", "t"}) text.output(name, "f32[64, 40]");
  text.kernel(sum_of("a", "p", 1));
  text.kernel(sum_of("b", "q", 1));
  text.kernel(sum_of("b", "r", 2));
  text.kernel(sum_of("turned", "s", 1));
  text.kernel(sum_of("q", "t", 1));
  const loop::Program program = text.program();
  CHECK(first_equal_kernels(program) == std::vector<std::size_t>{0, 0, 2, 3, 0});
  for (const Target target : runnable_targets()) {
    INFO(target_text(target));
    CHECK(difference(program, target, 1).empty());
  }
}

TEST_CASE("equal kernels: those that share bytes or begin elsewhere in a line are others") {
  ProgramWriter text;
  for (const char* name : {"a", "b", "c"}) text.state(name, "f32[64, 40]");
  for (const char* name : {"p", "q", "r"}) text.output(name, "f32[64, 40]");
  text.kernel(sum_of("a", "p", 1));
  text.kernel(sum_of("b", "q", 1));
  text.kernel(sum_of("c", "r", 1));
  loop::Program program = text.program();
  program.buffers[*program.find_buffer(loop::BufferKind::kState, "b")].offset += 4;
  CHECK(first_equal_kernels(program) == std::vector<std::size_t>{0, 1, 0});
  const loop::BufferId c = *program.find_buffer(loop::BufferKind::kState, "c");
  const loop::BufferId r = *program.find_buffer(loop::BufferKind::kOutput, "r");
  program.buffers[r].kind = loop::BufferKind::kState;
  program.buffers[r].offset = program.buffers[c].offset;
  CHECK(first_equal_kernels(program) == std::vector<std::size_t>{0, 1, 2});
}

TEST_CASE("equal kernels: names and sources of all stand before the function") {
  ProgramWriter text(40);
  for (const char* name : {"a", "b"}) text.state(name, "f32[64, 40]");
  for (const char* name : {"p", "q"}) text.output(name, "f32[64, 40]");
  text.kernel(sum_of("a", "p", 1));
  text.kernel(sum_of("b", "q", 1));
  loop::Program program = text.program();
  program.kernels[0].name = "first";
  program.kernels[1].name = "second";
  const std::string llvm = llvm_text(test::scheduled(program, Target::kSse2), Target::kSse2, Sources{});
  CHECK(llvm.find("first: ") < llvm.find("define "));
  CHECK(llvm.find("second: ") < llvm.find("define "));
  CHECK(llvm.find("@k1") == std::string::npos);
}

}  // namespace
}  // namespace dlg
