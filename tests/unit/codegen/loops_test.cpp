// Owns the tests of loops: compiled code against the interpreter at every length around the vector width, in
// all shapes of nests, on full and ragged batches and in any storage order.
#include <fmt/format.h>

#include "tests/catch.h"
#include "tests/step_forms.h"
#include "tests/unit/codegen/harness.h"

namespace dlg {
namespace {

void check_everywhere(const loop::Program& program, std::int64_t rows = 1) {
  for (const Target target : runnable_targets()) CHECK(difference(program, target, rows) == "");
}

std::vector<std::int64_t> lengths() {
  std::vector<std::int64_t> all;
  for (std::int64_t n = 1; n <= 67; ++n) all.push_back(n);
  for (std::int64_t n = 127; n <= 129; ++n) all.push_back(n);
  return all;
}

/// One kernel per length. In `body` {n} is the length, {t} the dtype; a[n], b[n] are read, out[n] or r[] are
/// written.
loop::Program at_all_lengths(const std::string& type, const std::string& body) {
  ProgramWriter text;
  for (const std::int64_t n : lengths()) {
    const auto name = [n](const char* prefix) { return fmt::format("{}{}", prefix, n); };
    text.state(name("a"), fmt::format("{}[{}]", type, n));
    text.state(name("b"), fmt::format("{}[{}]", type, n));
    text.output(name("out"), fmt::format("{}[{}]", type, n));
    text.output(name("r"), fmt::format("{}[]", type));
    text.output(name("s"), fmt::format("{}[]", type));
    text.kernel(fmt::format(fmt::runtime(body), fmt::arg("n", n), fmt::arg("t", type)));
  }
  return text.program();
}

TEST_CASE("codegen: vector loops of every length") {
  for (const char* type : {"f32", "f64"}) {
    check_everywhere(at_all_lengths(type, R"loops(
vector i in 0..{n} {{
  %0 = load a{n}[i] : {t}
  %1 = load b{n}[i] : {t}
  %2 = mul %0, %1 : {t}
  %3 = add %2, %0 : {t}
  %4 = tanh %3 : {t}
  store out{n}[i] = %4
}}
)loops"));
  }
}

TEST_CASE("codegen: vector loops of every length around a chain and around lanes") {
  for (const char* type : {"f32", "f64"}) {
    check_everywhere(at_all_lengths(type, R"loops(
vector i in 0..{n} {{
  %0 = load a{n}[i] : {t}
  for k in 0..3 carry (%1 = %0) -> (%2) {{
    %3 = load b{n}[i] : {t}
    %4 = mul %1, %3 : {t}
    %5 = add %4, %0 : {t}
    next (%5)
  }}
  store out{n}[i] = %2
}}
)loops"));
  }
  check_everywhere(at_all_lengths("f32", R"loops(
vector i in 0..{n} {{
  %0 = const -0 : f32
  lanes k in 0..5 carry (%1 = %0) -> (%2) {{
    %3 = load a{n}[i] : f32
    %4 = index k : i64
    %5 = cast %4 : f32
    %6 = div %3, %5 : f32
    %7 = add %1, %6 : f32
    next (%7)
  }} combine (%8 | %9) {{
    %10 = add %8, %9 : f32
    next (%10)
  }}
  store out{n}[i] = %2
}}
)loops"));
}

TEST_CASE("codegen: vector loops that read backwards, with a stride and by index") {
  ProgramWriter text;
  text.state("a", "f32[67, 3]");
  text.state("at", "i32[67]");
  text.output("out", "f32[67, 2]");
  text.output("index", "i64[67]");
  text.kernel(R"loops(
vector i in 0..67 {
  %0 = load a[-i + 66, 2] : f32
  %1 = load at[i] : i32
  %2 = const 60 : i32
  %3 = abs %1 : i32
  %8 = const 0 : i32
  %9 = max %3, %8 : i32
  %4 = min %9, %2 : i32
  %5 = load a[%4 + 3, 1] : f32
  %6 = sub %0, %5 : f32
  store out[i, 1] = %6
  store out[-i + 66, 0] = %5
  %7 = index -3*i + %4 + 5 : i64
  store index[i] = %7
}
)loops");
  check_everywhere(text.program());
}

const char* const kSum = R"loops(
%0 = const -0 : {t}
lanes i in 0..{n} carry (%1 = %0) -> (%2) {{
  %3 = load a{n}[i] : {t}
  %4 = load b{n}[i] : {t}
  %5 = mul %3, %4 : {t}
  %6 = add %1, %5 : {t}
  next (%6)
}} combine (%7 | %8) {{
  %9 = add %7, %8 : {t}
  next (%9)
}}
store r{n}[] = %2
)loops";

TEST_CASE("codegen: sums in lanes of every length") {
  for (const char* type : {"f32", "f64", "i32", "i64"}) {
    std::string body = kSum;
    if (type[0] == 'i') body.replace(body.find("-0"), 2, "0");
    check_everywhere(at_all_lengths(type, body));
  }
}

TEST_CASE("codegen: two values carried together in lanes: the first place of the maximum") {
  check_everywhere(at_all_lengths("f32", R"loops(
%0 = const -inf : f32
%1 = const 1000 : i64
lanes i in 0..{n} carry (%2 = %0, %3 = %1) -> (%4, %5) {{
  %6 = load a{n}[i] : f32
  %7 = abs %6 : f32
  %8 = index i : i64
  %9 = gt %7, %2 : bool
  %10 = select %9, %7, %2 : f32
  %11 = select %9, %8, %3 : i64
  next (%10, %11)
}} combine (%12, %13 | %14, %15) {{
  %16 = gt %14, %12 : bool
  %17 = eq %14, %12 : bool
  %18 = lt %15, %13 : bool
  %19 = and %17, %18 : bool
  %20 = or %16, %19 : bool
  %21 = select %20, %14, %12 : f32
  %22 = select %20, %15, %13 : i64
  next (%21, %22)
}}
store r{n}[] = %4
%23 = cast %5 : f32
store s{n}[] = %23
)loops"));
}

TEST_CASE("codegen: a carried bit in lanes") {
  check_everywhere(at_all_lengths("f32", R"loops(
%0 = const 0 : bool
%1 = const 30 : f32
lanes i in 0..{n} carry (%2 = %0) -> (%3) {{
  %4 = load a{n}[i] : f32
  %5 = gt %4, %1 : bool
  %6 = or %2, %5 : bool
  next (%6)
}} combine (%7 | %8) {{
  %9 = or %7, %8 : bool
  next (%9)
}}
%10 = cast %3 : f32
store r{n}[] = %10
)loops"));
}

TEST_CASE("codegen: serial chains of every length") {
  check_everywhere(at_all_lengths("f32", R"loops(
%0 = const 0 : f32
for i in 0..{n} carry (%1 = %0, %2 = %0) -> (%3, %4) {{
  %5 = load a{n}[i] : f32
  %6 = sub %5, %2 : f32
  %7 = add %1, %6 : f32
  next (%7, %1)
}}
store r{n}[] = %3
store s{n}[] = %4
)loops"));
}

TEST_CASE("codegen: blocks of a chain, whole and cut off") {
  check_everywhere(at_all_lengths("f64", R"loops(
%0 = const 0 : f64
for ii in 0..{n} step 16 carry (%1 = %0) -> (%2) {{
  for i in ii..{n} carry (%3 = %0) -> (%4) {{
    %5 = load a{n}[i] : f64
    %6 = add %3, %5 : f64
    next (%6)
  }}
  %7 = add %1, %4 : f64
  next (%7)
}}
store r{n}[] = %2
)loops"));
}

/// x[m, k] times w, with one chain per element, for any length of the vector axis.
std::string product(const std::string& load_x, const std::string& load_w, const std::string& store) {
  return fmt::format(
      "for b in 0..rows {{\nvector o in 0..21 {{\n%0 = const 0 : f32\n"
      "for k in 0..37 carry (%1 = %0) -> (%2) {{\n%3 = load {} : f32\n%4 = load {} : f32\n"
      "%5 = mul %3, %4 : f32\n%6 = add %1, %5 : f32\nnext (%6)\n}}\nstore {} = %2\n}}\n}}\n",
      load_x, load_w, store);
}

TEST_CASE("codegen: contractions on full and ragged batches, in every storage order") {
  for (const char* order : {"order [0, 1] ", "order [1, 0] "}) {
    ProgramWriter text(5);
    text.line("x: f32[*batch, 37] data \"d.x\"");
    text.line("row: i64[*batch] row_order");
    text.state("w", "f32[21, 37]", order);
    text.arena("h", "f32[*batch, 21]", order);
    text.output("z", "f32[*batch, 21]");
    text.kernel(
        "for b in 0..rows {\n%0 = load row[b] : i64\nvector k in 0..21 {\n%1 = load x[%0, k + 16] : f32\n"
        "store h[b, k] = %1\n}\n}\n");
    text.kernel(
        "for b in 0..rows {\nvector o in 0..21 {\n%0 = const 0 : f32\n"
        "for k in 0..21 carry (%1 = %0) -> (%2) {\n%3 = load h[b, k] : f32\n%4 = load w[o, k] : f32\n"
        "%5 = mul %3, %4 : f32\n%6 = add %1, %5 : f32\nnext (%6)\n}\nstore z[b, o] = %2\n}\n}\n");
    const loop::Program program = text.program();
    for (std::int64_t rows = 1; rows <= 5; ++rows) check_everywhere(program, rows);
  }
}

TEST_CASE("codegen: contractions in every place of the vector axis") {
  for (const char* order : {"order [0, 1] ", "order [1, 0] "}) {
    ProgramWriter text(3);
    text.state("x", "f32[3, 37]", order);
    text.state("w", "f32[21, 37]", order);
    text.output("z", "f32[*batch, 21]");
    text.kernel(product("x[b, k]", "w[o, k]", "z[b, o]"));
    check_everywhere(text.program(), 2);
  }
}

TEST_CASE("codegen: lanes inside a vector loop, over the valid rows") {
  for (const char* type : {"f32", "f64"}) {
    ProgramWriter text(35);
    text.state("g", fmt::format("{}[35, 19]", type));
    text.output("bias", fmt::format("{}[19]", type));
    text.kernel(fmt::format(R"loops(
vector o in 0..19 {{
  %0 = const -0 : {0}
  lanes b in 0..rows carry (%1 = %0) -> (%2) {{
    %3 = load g[b, o] : {0}
    %4 = add %1, %3 : {0}
    next (%4)
  }} combine (%5 | %6) {{
    %7 = add %5, %6 : {0}
    next (%7)
  }}
  store bias[o] = %2
}}
)loops",
                            type));
    const loop::Program program = text.program();
    for (const std::int64_t rows : {1, 2, 15, 16, 17, 31, 32, 33, 35}) check_everywhere(program, rows);
  }
}

TEST_CASE("codegen: lanes around a chain and around other lanes") {
  ProgramWriter text(20);
  text.state("a", "f32[20, 23]");
  text.output("r", "f32[]");
  text.output("s", "f32[]");
  text.kernel(R"loops(
%0 = const -0 : f32
lanes b in 0..rows carry (%1 = %0, %2 = %0) -> (%3, %4) {
  lanes k in 0..23 carry (%5 = %0) -> (%6) {
    %7 = load a[b, k] : f32
    %8 = add %5, %7 : f32
    next (%8)
  } combine (%9 | %10) {
    %11 = add %9, %10 : f32
    next (%11)
  }
  for k in 0..23 carry (%12 = %0) -> (%13) {
    %14 = load a[b, k] : f32
    %15 = mul %14, %6 : f32
    %16 = add %12, %15 : f32
    next (%16)
  }
  %17 = add %1, %6 : f32
  %18 = max %2, %13 : f32
  next (%17, %18)
} combine (%19, %20 | %21, %22) {
  %23 = add %19, %21 : f32
  %24 = max %20, %22 : f32
  next (%23, %24)
}
store r[] = %3
store s[] = %4
)loops");
  const loop::Program program = text.program();
  for (const std::int64_t rows : {1, 16, 17, 20}) check_everywhere(program, rows);
}

/// Sums of a[j, i] over three axes in lanes: blocks of j, or of the innermost axis.
std::string lanes_over_axes(const char* blocks, const char* ranges) {
  return fmt::format(R"loops(
for {0} carry (%1 = %0) -> (%2) {{
  lanes {1} carry (%3 = %0) -> (%4) {{
    %5 = load a[j, i] : f32
    %6 = index h : i64
    %7 = cast %6 : f32
    %13 = mul %5, %7 : f32
    %8 = add %13, %3 : f32
    next (%8)
  }} combine (%9 | %10) {{
    %11 = add %9, %10 : f32
    next (%11)
  }}
  %12 = add %1, %4 : f32
  next (%12)
}}
)loops",
                     blocks, ranges);
}

TEST_CASE("codegen: lanes of the innermost of several axes, as a vector and in memory") {
  const std::pair<const char*, const char*> nests[] = {
      {"j0 in 0..7 step 3", "h in 0..3, j in j0..7, i in 0..37"},
      {"j0 in 0..7 step 3", "h in 0..3, j in j0..7, i in 0..rows"},
      {"i0 in 0..37 step 16", "h in 0..3, j in 0..7, i in i0..37"},
      {"i0 in 0..rows step 32", "h in 0..3, j in 0..7, i in i0..rows"}};
  for (const auto& [blocks, ranges] : nests) {
    ProgramWriter text(37);
    text.state("a", "f32[7, 37]");
    text.output("r", "f32[]");
    text.output("v", "f32[20]");
    const std::string body = "%0 = const -0 : f32\n" + lanes_over_axes(blocks, ranges);
    text.kernel(body + "store r[] = %2\n");
    text.kernel("vector o in 0..20 {\n" + body + "store v[o] = %2\n}\n");
    const loop::Program program = text.program();
    for (const std::int64_t rows : {1, 16, 17, 33, 37}) check_everywhere(program, rows);
  }
}

TEST_CASE("codegen: a vector loop inside a vector loop") {
  ProgramWriter text;
  text.state("a", "f32[18, 17]");
  text.output("out", "f32[18, 17]");
  text.kernel(
      "vector i in 0..18 {\nvector j in 0..17 {\n%0 = load a[i, j] : f32\n%1 = exp %0 : f32\n"
      "store out[i, j] = %1\n}\n}\n");
  check_everywhere(text.program());
}

TEST_CASE("codegen: block loops of step 1") {
  ProgramWriter text;
  text.state("a", "f32[5]");
  text.output("r", "f32[]");
  text.kernel(
      "%0 = const 0 : f32\nfor ii in 0..5 carry (%1 = %0) -> (%2) {\n"
      "for i in ii..5 carry (%3 = %1) -> (%4) {\n%5 = load a[i] : f32\n%6 = add %3, %5 : f32\nnext (%6)\n}\n"
      "next (%4)\n}\nstore r[] = %2\n");
  check_everywhere(text.program());
}

TEST_CASE("codegen: bool, i32 and i64 in memory") {
  for (const char* type : {"bool", "i32", "i64"}) {
    ProgramWriter text;
    text.state("a", fmt::format("{}[37]", type));
    text.state("b", fmt::format("{}[37]", type));
    text.output("out", fmt::format("{}[37]", type));
    text.kernel(
        fmt::format("vector i in 0..37 {{\n%0 = load a[i] : {0}\n%1 = load b[-i + 36] : {0}\n"
                    "%2 = lt %0, %1 : bool\n%3 = select %2, %1, %0 : {0}\nstore out[i] = %3\n}}\n",
                    type));
    check_everywhere(text.program());
  }
}

TEST_CASE("codegen: one place in the arena for a value that dies and one that is born") {
  ProgramWriter text;
  text.state("a", "f32[40]");
  text.line("h: f32[40] arena 0");
  text.line("g: f32[40] arena 0");
  text.arena("unused", "f32[40]");
  text.output("out", "f32[40]");
  text.kernel("vector i in 0..40 {\n%0 = load a[i] : f32\nstore h[i] = %0\n}\n");
  text.kernel(
      "for r in 0..3 {\nvector i in 0..40 {\n%0 = load h[i] : f32\n%1 = add %0, %0 : f32\n"
      "store g[i] = %1\n%2 = load g[i] : f32\nstore out[i] = %2\n}\n}\n");
  const loop::Program program = text.program();
  for (const Target target : runnable_targets()) {
    // In a straight step they would be registers of their own.
    Compiled compiled(program, target, StepForm::kLoops);
    compiled.set("a", std::vector<double>(40, 1.0));
    compiled.run(1);
    CHECK(compiled.get("out") == std::vector<double>(40, 8.0));
  }
}

TEST_CASE("codegen: functions of the same name side by side, but not those that wait for each other") {
  for (const char* type : {"f32", "f64"}) {
    ProgramWriter text;
    text.state("a", fmt::format("{}[4]", type));
    text.output("out", fmt::format("{}[5]", type));
    text.kernel(fmt::format(
        "%0 = load a[0] : {0}\n%1 = load a[1] : {0}\n%2 = pow %0, %1 : {0}\n%3 = load a[2] : {0}\n"
        "%4 = pow %1, %0 : {0}\n%5 = pow %2, %0 : {0}\n%6 = pow %0, %0 : {0}\n%7 = exp %3 : {0}\n"
        "%8 = pow %3, %0 : {0}\nstore out[0] = %2\nstore out[1] = %4\nstore out[2] = %5\n"
        "store out[3] = %6\n%9 = add %7, %8 : {0}\nstore out[4] = %9\n",
        type));
    const loop::Program program = text.program();
    check_everywhere(program);
    for (const Target target : runnable_targets()) {
      Compiled compiled(program, target);
      compiled.set("a", {2.0, 3.0, -1.0, 0.0});
      compiled.run(1);
      const std::vector<double> out = compiled.get("out");
      CHECK(std::vector(out.begin(), out.begin() + 4) == std::vector<double>{8.0, 9.0, 64.0, 4.0});
      CHECK(llvm_text(test::scheduled(program, target), target, Sources{}).find("fmul <4 x double>") !=
            std::string::npos);
    }
  }
}

TEST_CASE("codegen: literal elements and the number of rows") {
  ProgramWriter text(9);
  text.line("table: f32[3] constant [0.1, -0, inf]");
  text.line("whole: i64[2] constant [-5, 4503599627370496]");
  text.line("bits: bool[2] constant [0, 1]");
  text.output("out", "f32[3]");
  text.output("n", "i64[]");
  text.output("flag", "bool[2]");
  text.kernel(
      "for i in 0..3 {\n%0 = load table[i] : f32\nstore out[i] = %0\n}\n"
      "%1 = rows : i64\n%2 = load whole[1] : i64\n%3 = load whole[0] : i64\n%4 = mul %1, %3 : i64\n"
      "%5 = add %4, %2 : i64\nstore n[] = %5\n"
      "for i in 0..2 {\n%6 = load bits[i] : bool\nstore flag[i] = %6\n}\n");
  check_everywhere(text.program(), 4);
}

}  // namespace
}  // namespace dlg
