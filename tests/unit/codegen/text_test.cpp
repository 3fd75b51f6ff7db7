// Owns the tests of the LLVM and assembly text: no fast-math, no foreign calls, places of the source.
#include <algorithm>
#include <regex>
#include <set>

#include "support/source.h"
#include "support/text.h"
#include "tests/catch.h"
#include "tests/step_forms.h"
#include "tests/unit/codegen/harness.h"

namespace dlg {
namespace {

/// Every op with floats, in every kind of loop.
loop::Program many_ops() {
  ProgramWriter text(20);
  text.state("a", "f32[20, 40]");
  text.state("w", "f64[40]");
  text.state("w2", "f64[40]");
  text.output("out", "f32[20, 40]");
  text.loss("loss", "f32[]");
  std::string body = "for b in 0..rows {\nvector i in 0..40 {\n%0 = load a[b, i] : f32\n";
  int next = 1;
  for (std::size_t i = static_cast<std::size_t>(loop::Op::kNeg);
       i <= static_cast<std::size_t>(loop::Op::kFma); ++i) {
    const auto op = static_cast<loop::Op>(i);
    std::string line = "%" + std::to_string(next) + " = " + std::string(loop::op_info(op).text);
    for (int arg = 0; arg < loop::op_info(op).arity; ++arg) {
      line += (arg == 0 ? " %" : ", %") + std::to_string(std::max(0, next - 1 - arg));
    }
    body += line + " : f32\n";
    ++next;
  }
  body += "store out[b, i] = %" + std::to_string(next - 1) + "\n}\n}\n";
  text.kernel(body);
  text.kernel(
      "%0 = const -0 : f32\nlanes b in 0..rows carry (%1 = %0) -> (%2) {\n"
      "lanes i in 0..40 carry (%3 = %0) -> (%4) {\n%5 = load out[b, i] : f32\n%6 = add %3, %5 : f32\n"
      "next (%6)\n} combine (%7 | %8) {\n%9 = add %7, %8 : f32\nnext (%9)\n}\n%10 = add %1, %4 : f32\n"
      "next (%10)\n} combine (%11 | %12) {\n%13 = add %11, %12 : f32\nnext (%13)\n}\nstore loss[] = %2\n");
  text.copy("w", "w2");
  loop::Program program = text.program();
  program.kernels[0].name = "net.h \"quoted\"";
  program.kernels[1].name = "memcpy";
  return program;
}

TEST_CASE("llvm text: no fast-math flag on any instruction") {
  const std::regex flags(R"(\b(fast|nnan|ninf|nsz|arcp|contract|afn|reassoc)\b)");
  const loop::Program program = many_ops();
  for (const Target target : runnable_targets()) {
    const std::string text = llvm_text(test::scheduled(program, target), target, Sources{});
    CHECK(!std::regex_search(text, flags));
  }
}

TEST_CASE("llvm text: only intrinsics and functions of the module are called") {
  const loop::Program program = many_ops();
  const std::regex definition(R"(\ndefine [^@\n]*@([A-Za-z0-9_.]+)\()");
  const std::regex name(R"(@([A-Za-z0-9_.]+)\()");
  for (const Target target : runnable_targets()) {
    const std::string text = llvm_text(test::scheduled(program, target), target, Sources{});
    std::set<std::string> defined;
    for (std::sregex_iterator it(text.begin(), text.end(), definition), end; it != end; ++it) {
      defined.insert((*it)[1]);
    }
    CHECK(defined.count("dlg_step") == 1);
    CHECK(defined.count("maths.exp.f32.1") == 1);
    std::size_t calls = 0;
    for (std::sregex_iterator it(text.begin(), text.end(), name), end; it != end; ++it) {
      const std::string callee = (*it)[1];
      const bool is_allowed = callee.rfind("llvm.", 0) == 0 || defined.count(callee) > 0;
      CHECK(is_allowed);
      ++calls;
    }
    CHECK(calls > 20);
  }
}

TEST_CASE("llvm and assembly text: each instruction of a kernel names its place") {
  loop::Program program = many_ops();
  Sources sources;
  const FileId file = sources.add("net.dlg", "dlg 1\nmodel\n");
  for (loop::Kernel& kernel : program.kernels) kernel.origin = {file, 6, 11};
  const std::string llvm = llvm_text(test::scheduled(program, Target::kHost), Target::kHost, sources);
  CHECK(llvm.find("  ret void  ; net.dlg:2 memcpy\n") != std::string::npos);
  const std::string assembly = assembly_text(test::scheduled(program, Target::kHost), Target::kHost, sources);
  CHECK(assembly.find("\tretq  # net.dlg:2 memcpy\n") != std::string::npos);
  CHECK(assembly.find("# net.dlg:2 net.h") != std::string::npos);
}

TEST_CASE("assembly text: the target decides about registers and fma") {
  const loop::Program program = many_ops();
  const std::string sse2 = assembly_text(test::scheduled(program, Target::kSse2), Target::kSse2, Sources{});
  CHECK(sse2.find("ymm") == std::string::npos);
  CHECK(sse2.find("vfmadd") == std::string::npos);
  const std::string avx2 = assembly_text(test::scheduled(program, Target::kAvx2), Target::kAvx2, Sources{});
  CHECK(avx2.find("ymm") != std::string::npos);
  CHECK(avx2.find("zmm") == std::string::npos);
  CHECK(avx2.find("vfmadd") != std::string::npos);
  CHECK(assembly_text(test::scheduled(program, Target::kAvx512), Target::kAvx512, Sources{}).find("zmm") !=
        std::string::npos);
}

TEST_CASE("targets: names, and the host is one of those that can run") {
  CHECK(parse_target("avx2") == Target::kAvx2);
  CHECK(!parse_target("avx1024").has_value());
  CHECK(can_run(Target::kHost));
  CHECK(!runnable_targets().empty());
  CHECK(llvm_version().substr(0, 5) == "LLVM ");
}

TEST_CASE("targets: the host gives the bits of the highest target") {
  const loop::Program program = many_ops();
  CHECK(difference(program, Target::kHost, 20) == "");
}

TEST_CASE("jit: compiling is the same twice, and compiled programs can be moved") {
  const loop::Program program = many_ops();
  CHECK(llvm_text(test::scheduled(program, Target::kHost), Target::kHost, Sources{}) ==
        llvm_text(test::scheduled(program, Target::kHost), Target::kHost, Sources{}));
  CompiledProgram first = test::compiled(program, {});
  CompiledProgram second = std::move(first);
  CHECK(second.entry() != nullptr);
}

}  // namespace
}  // namespace dlg
