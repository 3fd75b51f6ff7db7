// Owns the tests of the loop text: round trips, places, and the first error of broken texts.
#include "tests/unit/loop/loop_text.h"

namespace dlg::loop {
namespace {

const std::string kEverything = R"loops(program batch 32
arena 16384
state 16384
output 64
stop_test 1

buffer x: f32[*batch, 64] data "digits.x"
buffer row: i64[*batch] row_order
buffer W: f32[64, 64] order [1, 0] state 0 "net.W"
buffer h: f32[*batch, 64] arena 0
buffer "d(net.W)": f32[] arena 8192
buffer lr: f64[] hyper "optimizer.lr"
buffer table: f32[3] constant [1, -0, 0.5]
buffer loss: f32[] output 0 "loss" loss

kernel net.h {  ; net.dlg:14 computes net.H net.h
  for b in 0..rows {
    %0 = load row[b] : i64
    vector o in 0..64 {
      %1 = const -0 : f32
      for kk in 0..64 step 16 carry (%2 = %1) -> (%3) {
        for k in kk..64 carry (%4 = %2) -> (%5) {
          %6 = load x[%0, k] : f32
          %7 = load W[o, k] : f32
          %8 = fma %6, %7, %4 : f32
          next (%8)
        }
        next (%5)
      }
      %9 = tanh %3 : f32
      store h[b, o] = %9
    }
  }
}

kernel loss {  ; net.dlg:20
  %0 = const -0 : f32
  %1 = const nan : f32
  lanes k in 0..rows carry (%2 = %0, %3 = %1) -> (%4, %5) {
    %6 = load h[k, 2] : f32
    %7 = add %2, %6 : f32
    %8 = max %3, %6 : f32
    next (%7, %8)
  } combine (%9, %10 | %11, %12) {
    %13 = add %9, %11 : f32
    %14 = max %10, %12 : f32
    next (%13, %14)
  }
  store loss[] = %4
  vector o in 0..64 {
    for o' in 0..1 {
      %15 = index -o + 2*o' + 63 : i64
      %16 = rows : i64
      %17 = lt %15, %16 : bool
      %18 = select %17, %4, %5 : f32
      store W[-o + 63, 5] = %18
    }
  }
  for o0 in 0..64 step 32 {
    lanes o in o0..64, o' in 0..9, b in 0..rows carry (%19 = %0) -> (%20) {
      %21 = load h[b, o] : f32
      %22 = add %19, %21 : f32
      next (%22)
    } combine (%23 | %24) {
      %25 = add %23, %24 : f32
      next (%25)
    }
  }
}
)loops";

std::string reprinted(const std::string& text) {
  Sources sources;
  Diagnostics diagnostics;
  const FileId file = sources.add("test.loops", text);
  const std::optional<Program> program = parse_program(sources, file, diagnostics);
  for (const Diagnostic& diagnostic : diagnostics.all()) UNSCOPED_INFO(diagnostic.message);
  REQUIRE(program.has_value());
  return print_program(*program, sources);
}

std::string first_error(const std::string& text) {
  Sources sources;
  Diagnostics diagnostics;
  const FileId file = sources.add("test.loops", text);
  CHECK(!parse_program(sources, file, diagnostics).has_value());
  REQUIRE(diagnostics.all().size() == 1);
  const Diagnostic& diagnostic = diagnostics.all()[0];
  return code_text(diagnostic.code) + " " + std::string(sources.text(diagnostic.range)) + ": " +
         diagnostic.message;
}

const std::string kHead = "program batch 4\narena 64\nstate 0\noutput 0\nstop_test 0\n";

TEST_CASE("loop text: printing what was read gives the same bytes") {
  CHECK(reprinted(kEverything) == kEverything);
}

TEST_CASE("loop text: the program with every construct is well-formed") {
  CHECK(broken_law(kEverything) == "");
}

TEST_CASE("loop text: what is read is what was written") {
  const Program program = program_of(kEverything);
  CHECK(program.buffers.size() == 8);
  CHECK(program.buffers[BufferId{2}].layout == in_order({1, 0}));
  CHECK(std::signbit(program.buffers[BufferId{6}].literal[1]));
  CHECK(program.loss == BufferId{7});
  CHECK(program.kernels[0].comment == "net.H net.h");
  CHECK(program.kernels[1].comment.empty());
  const Loop& batch = program.kernels[0].body[0].loop[0];
  CHECK(batch.extent == kBatch);
  const Loop& blocks = batch.body[1].loop[0].body[1].loop[0];
  CHECK(blocks.step == 16);
  CHECK(blocks.body[0].loop[0].block == blocks.var);
}

TEST_CASE("loop text: pitches and parts of axes stand in the storage order") {
  const std::string text =
      "program batch 4\narena 0\nstate 1024\noutput 0\nstop_test 0\n\n"
      "buffer w: f32[2, 3, 16] order [2/8 pitch 100, 0, 2%8, 1 pitch 2] state 0 \"w\"\n";
  CHECK(reprinted(text) == text);
  CHECK(program_of(text).buffers[BufferId{0}].layout ==
        Layout{{{.axis = 2, .kind = StoragePart::Kind::kBlocks, .factor = 8, .pitch = 100},
                {.axis = 0},
                {.axis = 2, .kind = StoragePart::Kind::kRest, .factor = 8},
                {.axis = 1, .pitch = 2}}});
  const auto error = [](const std::string& order) {
    return first_error(kHead + "buffer a: f32[4] order " + order);
  };
  CHECK(error("[0/] arena 0") == "DLG0750 ]: found `]`, expected a whole number");
  CHECK(error("[0%, 0] arena 0") == "DLG0750 ,: found `,`, expected a whole number");
  CHECK(error("[0 pitch] arena 0") == "DLG0750 ]: found `]`, expected a whole number");
  CHECK(error("[0 8] arena 0") == "DLG0750 8: found `8`, expected `]`");
}

TEST_CASE("loop text: the primes of a shadowing name are part of the text") {
  Program program = program_of(kHead +
                               "buffer a: f32[4, 4] arena 0\n"
                               "kernel k { for i in 0..4 { for j in 0..4 { %0 = const 1 : f32\n"
                               "store a[i, j] = %0 } } }");
  program.kernels[0].body[0].loop[0].body[0].loop[0].name = "i";
  const std::string text = print_program(program, Sources{});
  CHECK(text.find("for i' in 0..4 {") != std::string::npos);
  CHECK(text.find("store a[i, i'] = %0") != std::string::npos);
  CHECK(reprinted(text) == text);
}

TEST_CASE("loop text: names that are no words are quoted") {
  Program program = program_of(kHead + "buffer a: f32[4] arena 0\n");
  program.buffers[BufferId{0}].name = "a \"b\"\\\n..";
  program.buffers[BufferId{0}].source = "s\x01";
  const std::string text = print_program(program, Sources{});
  CHECK(text.find(R"loops(buffer "a \"b\"\\\x0a..": f32[4] arena 0 "s\x01")loops") != std::string::npos);
  CHECK(program_of(text).buffers[BufferId{0}].name == program.buffers[BufferId{0}].name);
}

TEST_CASE("loop text: the place of a kernel may have a name in quotes") {
  const std::string text = kHead + "\nkernel k {  ; \"my net.dlg\":3 computes a; b\n}\n";
  CHECK(reprinted(text) == text);
  CHECK(program_of(text).kernels[0].comment == "a; b");
  CHECK(program_of(kHead + "kernel k {  ; net.dlg:3 and more\n}").kernels[0].origin == SourceRange{});
}

TEST_CASE("loop text: errors name what was found and what may stand there") {
  CHECK(first_error("graph") == "DLG0750 graph: found `graph`, expected `program`");
  CHECK(first_error(kHead + "buffer a: f33[]") ==
        "DLG0750 f33: found `f33`, expected an element type such as `f32`");
  CHECK(first_error(kHead + "buffer a: f32[] heap 0") ==
        "DLG0750 heap: found `heap`, expected a kind of buffer: arena, state, data, row_order, hyper, output "
        "or "
        "constant");
  CHECK(first_error(kHead + "buffer a: f32[] arena 0 buffer a: f32[] arena 0") ==
        "DLG0751 a: a second buffer named `a`");
  CHECK(first_error(kHead + "kernel k { store b[] = %0 }") == "DLG0751 b: no buffer named `b`");
  CHECK(first_error(kHead + "kernel k { %0 = index i : i64 }") == "DLG0751 i: no enclosing loop named `i`");
  CHECK(first_error(kHead + "kernel k { %0 = blend %1 : f32 }") ==
        "DLG0750 blend: found `blend`, expected an instruction such as `add`");
  CHECK(first_error(kHead + "kernel k { %9999999 = rows : i64 }") ==
        "DLG0752 %9999999: the register number is too large");
  CHECK(first_error(kHead + "kernel k {") == "DLG0750 : found the end of the text, expected `}`");
  CHECK(first_error(kHead + "kernel k { \"open") ==
        "DLG0750 \"open: found `\"open`, expected a statement: `%1 = ...`, "
        "`store`, `together`, `for`, `parallel`, `vector` or `lanes`");
}

TEST_CASE("loop text: nesting has a limit") {
  std::string text = kHead + "kernel k ";
  for (int i = 0; i < 100000; ++i) text += "{ for i in 0..2 ";
  CHECK(first_error(text).find("loops are nested more than 64 levels deep") != std::string::npos);
}

TEST_CASE("loop text: every prefix of a program is read or refused without harm") {
  for (std::size_t length = 0; length < kEverything.size(); ++length) {
    Sources sources;
    Diagnostics diagnostics;
    const FileId file = sources.add("test.loops", kEverything.substr(0, length));
    const bool is_read = parse_program(sources, file, diagnostics).has_value();
    CHECK(is_read != diagnostics.has_errors());
  }
}

}  // namespace
}  // namespace dlg::loop
