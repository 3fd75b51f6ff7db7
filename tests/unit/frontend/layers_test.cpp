// Owns the tests of instances: which layer gets which path, what is one and the same, and what `share` and
// `repeat` compute.
#include <algorithm>

#include "support/text.h"
#include "tests/unit/frontend/compiled.h"

namespace dlg {
namespace {

const std::string kBlock = R"(dlg 1
use f64
fn scale(x: [n], start = 1) -> [n] {
  param w: [n] = start
  return w * x
}
fn pair(x: [n]) -> [n] = scale(scale(x))
)";

/// The program with a model of this body and of the input [3].
Compiled with_body(const std::string& body, const std::string& definitions = "") {
  return compile_text(kBlock + definitions + R"(data d {
  x = [[1.0, 2.0, 3.0]]
}
model net(x: [3]) -> [3] {
)" + body + R"(
}
train {
  minimize  = sum(net(d.x))
  optimizer = sgd(lr = 0.1)
  stop      = [1 steps]
}
)");
}

std::string paths(const Compiled& compiled) {
  std::vector<std::string> all;
  if (!compiled.program) return compiled.errors();
  for (const State& state : compiled.program->graph.states) all.push_back(state.path);
  std::sort(all.begin(), all.end());
  return join_text(all, " ");
}

TEST_CASE("layers are numbered in the order of the text, where there are several") {
  CHECK(paths(with_body("  return scale(x)")) == "net.scale.w");
  CHECK(paths(with_body("  return x |> scale |> scale()")) == "net.scale[0].w net.scale[1].w");
  CHECK(paths(with_body("  return pair(x)")) == "net.pair.scale[0].w net.pair.scale[1].w");
}

TEST_CASE("each round of a repeat has layers of its own, numbered with those around it") {
  CHECK(paths(with_body("  return x |> repeat 3 { h -> scale(h) }")) ==
        "net.scale[0].w net.scale[1].w net.scale[2].w");
  CHECK(paths(with_body("  return x |> repeat 1 { h -> scale(h) }")) == "net.scale[0].w");
  CHECK(paths(with_body("  return x |> scale |> repeat 2 { h -> scale(h) } |> scale")) ==
        "net.scale[0].w net.scale[1].w net.scale[2].w net.scale[3].w");
  CHECK(paths(with_body("  return x |> repeat 2 { h -> scale(h) + scale(2 * h) } |> scale")) ==
        "net.scale[0].w net.scale[1].w net.scale[2].w net.scale[3].w net.scale[4].w");
  CHECK(paths(with_body("  return x |> repeat 2 { h -> h |> repeat 2 { g -> scale(g) } |> scale }")) ==
        "net.scale[0].w net.scale[1].w net.scale[2].w net.scale[3].w net.scale[4].w net.scale[5].w");
  CHECK(paths(with_body("  return x |> repeat 2 { h -> pair(h) }")) ==
        "net.pair[0].scale[0].w net.pair[0].scale[1].w net.pair[1].scale[0].w net.pair[1].scale[1].w");
  const std::string deep =
      "fn deep(x: [n], rounds: int) -> [n] = x |> repeat 2 * rounds - 1 { h -> scale(h) }\n";
  CHECK(paths(with_body("  return x |> deep(1) |> deep(2)", deep)) ==
        "net.deep[0].scale[0].w net.deep[1].scale[0].w net.deep[1].scale[1].w net.deep[1].scale[2].w");
}

TEST_CASE("what is shared exists once, by the name that it is given") {
  CHECK(paths(with_body("  share s = scale\n  return s(s(x)) |> s")) == "net.s.w");
  CHECK(paths(with_body("  share s = scale(start = 2)\n  return scale(x) + x |> s |> scale")) ==
        "net.s.w net.scale[0].w net.scale[1].w");
  CHECK(paths(with_body("  share s = pair\n  return x |> repeat 3 { h -> s(h) }")) ==
        "net.s.scale[0].w net.s.scale[1].w");
  CHECK(paths(with_body("  share a = scale\n  share b = scale\n  return a(x) + b(x)")) == "net.a.w net.b.w");
  CHECK(paths(with_body("  return tied(x) + tied(2 * x)",
                        "fn tied(x: [n]) -> [n] {\n  share s = scale\n  return s(x) + s(2 * x)\n}\n")) ==
        "net.tied[0].s.w net.tied[1].s.w");
}

TEST_CASE("a shared layer may be given to a function") {
  const std::string twice = "fn twice(x: [n], layer) -> [n] = layer(layer(x))\n";
  CHECK(paths(with_body("  share s = scale(start = 2)\n  return twice(x, s) + s(x)", twice)) == "net.s.w");
  CHECK(paths(with_body("  return twice(x, scale)", twice)) == "net.twice.layer[0].w net.twice.layer[1].w");
}

TEST_CASE("shared and repeated layers compute what is written out") {
  const std::string start = "const start = 2\n";
  const auto loss = [&](const std::string& body) {
    const Compiled compiled = with_body(body, start);
    INFO(body << "\n" << compiled.errors());
    REQUIRE(compiled.program);
    return output_of(*compiled.program, "loss").front();
  };
  CHECK(loss("  return x |> repeat 3 { h -> scale(h, start) + 1 }") == 8 * 6 + 3 * 7);
  CHECK(loss("  share s = scale(start)\n  return s(s(x)) + s(x)") == 6 * 6);
  CHECK(loss("  share s = scale(start = start)\n  return s(x = 3 * x)") == 6 * 6);
  CHECK(loss("  y = x |> repeat 2 { h -> scale(x) + 2 * h }\n  return y") == 7 * 6);
}

TEST_CASE("a value before a repeat keeps its name, and the name of a round ends with it") {
  CHECK(with_body("  return (x |> repeat 2 { x -> 2 * x })").errors() ==
        "t.dlg:12 `x` already has a value\n");
  CHECK(paths(with_body("  y = x |> repeat 2 { h -> scale(h) }\n  return y |> repeat 2 { h -> h + y }")) ==
        "net.scale[0].w net.scale[1].w");
  CHECK(with_body("  y = x |> repeat 2 { h -> scale(h) }\n  return h").errors() ==
        "t.dlg:13 unknown name `h`\n");
}

}  // namespace
}  // namespace dlg
