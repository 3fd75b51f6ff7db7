// Owns the tests of the textual form: exact round trips, and diagnostics with recovery by line.
#include "ir/graph/text.h"

#include <cmath>

#include "ir/graph/verify.h"
#include "tests/catch.h"
#include "tests/sample_graphs.h"

using namespace dlg;

namespace {

struct Parsed {
  Sources sources;
  Diagnostics diagnostics;
  std::optional<Graph> graph;

  explicit Parsed(const std::string& text) {
    const FileId file = sources.add("test.ir", text);
    graph = parse_graph(sources, file, diagnostics);
  }
  std::string printed() const { return print_graph(*graph, sources); }
  std::vector<std::string> messages() const {
    std::vector<std::string> all;
    for (const Diagnostic& d : diagnostics.sorted()) all.push_back(d.message);
    return all;
  }
};

void check_round_trip(const std::string& text) {
  const Parsed parsed(text);
  INFO(text);
  REQUIRE(parsed.messages() == std::vector<std::string>{});
  CHECK(parsed.printed() == text);
}

}  // namespace

TEST_CASE("a printed graph reads back and prints the same bytes") {
  test::Sketch s;
  test::build_lecture_net(s);
  const std::string text = print_graph(s.graph, Sources());
  check_round_trip(text);
  const Parsed parsed(text);
  REQUIRE(parsed.graph->nodes.size() == s.graph.nodes.size());
  for (const ValueId value : s.graph.nodes.ids()) {
    CHECK((*parsed.graph)[value].op == s.graph[value].op);
    CHECK((*parsed.graph)[value].type == s.graph[value].type);
    CHECK((*parsed.graph)[value].operands == s.graph[value].operands);
    CHECK((*parsed.graph)[value].attributes == s.graph[value].attributes);
  }
}

TEST_CASE("every header line and every comment survives") {
  check_round_trip(R"(graph 1
batch 4
state net.W : f32[2, 3] parameter = uniform [-0.5, 0.5]  ; net.dlg:3
state net.b : f32[3] parameter = fill 0
state net.c : f32[2] constant = literal [1, -0]
state net.W.s : f32[2, 3] optimizer = fill 0  ; "std/my rules.dlg":12
state net.n : f32[2] parameter = normal 0.01
state net.o : f32[2, 3, 3] parameter = orthogonal 1.5
state step : f64[] step = fill 0
input one.x : f32[*batch, 2] = [0.5, 1e-300]  ; net.dlg:1
input one.i : i32[*batch]
hyper optimizer.lr = 0.5  ; net.dlg:20

x = input {path = one.x} : f32[*batch, 2]  ; net.dlg:1
W = state {path = net.W} : f32[2, 3]  ; net.dlg:3, net.dlg:7
inf = constant {value = inf} : f32[*batch, 3]
h = matmul x, W {labels = "bi,io->bo"} : f32[*batch, 3]  ; net.dlg:5  also z, "a b"  law mul.one, neg.neg
dense[0].y' = max h, inf : f32[*batch, 3]  ; also q
step = state {path = step} : f64[]

output "my, output" = dense[0].y'
output d(net.W) = W
effect step = step
)");
}

TEST_CASE("kernels are blocks") {
  check_round_trip(R"(graph 1
batch 1
state w : f64[2] parameter = fill 0.5

w = state {path = w} : f64[2]

kernel loss {
  a = neg w : f64[2]
  b = exp a : f64[2]
}

kernel w.new {
  c = add w, b : f64[2]
}

output loss = b
effect w = c
)");
}

TEST_CASE("numbers keep their bits") {
  check_round_trip(R"(graph 1
batch 1

a = constant {elements = [0, -0, inf, -inf, nan, 5e-324, 0.1]} : f64[7]

output a = a
)");
}

TEST_CASE("an edit of a constant changes the graph") {
  const Parsed parsed("graph 1\nbatch 1\n\na = constant {value = 0.25} : f64[]\n\noutput a = a\n");
  REQUIRE(parsed.graph.has_value());
  CHECK(std::get<ConstantElements>((*parsed.graph)[ValueId{0}].attributes).value == 0.25);
}

TEST_CASE("errors are reported line by line, with what was found and what was expected") {
  const Parsed parsed(R"(graph 1
batch 1
state w : f64[2] param = fill 0
state w2 : f64[0] parameter = fill 0
a = constant {value = 1} : f64[3]
a = constant {value = 2} : f64[3]
b = negg a : f64[3]
c = neg b : f64[3]
d = neg aa : f64[3]
e = neg a : f64[4]
f = add a, e : f64[3]
g = neg a {axes = [0]} : f64[3]
h = neg a : f64[3] x
frobnicate 3
k = add a : f64[3]
output o = a
output o = a
effect nowhere = a
}
)");
  CHECK_FALSE(parsed.graph.has_value());
  CHECK(parsed.messages() == std::vector<std::string>{
                                 "expected `parameter`, `constant`, `optimizer` or `step`, found `param`",
                                 "expected a type like `f32[2, 3]`, found `f64[0]`",
                                 "a second value is called `a`",
                                 "no op is called `negg`",
                                 "no value above this line is called `aa`",
                                 "`e` has type `f64[3]` here, not `f64[4]`",
                                 "no attribute of `neg` is called `axes`",
                                 "expected the end of the line, found `x`",
                                 "expected `=` after the name of a value, found `3`",
                                 "`add`: add takes 2 operands, not 1",
                                 "a second output is called `o`",
                                 "no state is called `nowhere`",
                                 "expected a kernel before its `}`, found the end of the line",
                             });
}

TEST_CASE("broken text is refused without a crash") {
  for (const std::string text :
       {"kernel a {\n", "a = \n", "a = neg\n", "= 3\n", "\"\n", "a = constant {value = \n", "batch x\n",
        "state\n", "a = constant {value = 1 : f64[]\n", "graph 2\n", "{\n", "a = neg b,, c : f64[]\n",
        "a = constant {value = 1} : f64[9999999999999999999]\n", "input x : f64[2] = [1, }\n"}) {
    INFO(text);
    const Parsed parsed(text);
    CHECK_FALSE(parsed.graph.has_value());
    CHECK(parsed.diagnostics.has_errors());
  }
}

TEST_CASE("a comment that says nothing to us is only a comment") {
  const Parsed parsed(
      "graph 1 ; hello: world\nbatch 1\na = constant {value = 1} : f64[] ; x.dlg:99999999999\n"
      "output a = a\n");
  REQUIRE(parsed.graph.has_value());
  CHECK(parsed.graph->infos[ValueId{0}].origins.empty());
}
