// Contractions with windows: what is left out, windows of a view, the text of labels and the types. The grid
// of convolutions has files of its own.
#include <fmt/format.h>

#include <array>
#include <cmath>
#include <limits>

#include "ir/ops/expr.h"
#include "tests/catch.h"
#include "tests/ops/compiled_samples.h"

namespace dlg {
TEST_CASE("an infinite weight beside the border stays out, and the sum of no point is +0") {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  for (const std::int64_t maps : {1, 8}) {
    Graph graph;
    Builder builder(graph);
    const Expr x{&builder, add_leaf(builder, "x", {DType::kF64, {4}})};
    const Expr k{&builder, add_leaf(builder, "k", {DType::kF64, {maps, 3}})};
    graph.outputs = {{"y", contract(x, k, contract_labels("(2x+s-2),os->xo"), {4, maps}).value}};
    Environment<double> environment = default_environment(graph);
    environment.states["x"].elements = {1, 2, 3, 4};
    for (std::int64_t i = 0; i < maps; ++i) {
      for (std::size_t s = 0; s < 3; ++s)
        environment.states["k"].elements[static_cast<std::size_t>(i) * 3 + s] = s == 0 ? kInf : -1;
    }
    const loop::Program program = lowered(graph);
    // At the first place only the last tap is inside, at the last one none.
    const std::array<double, 4> expected{-1, kInf, kInf, 0};
    for (const Target target : runnable_targets()) {
      const StepValues loops = run_loops(program, environment, fusing_of(target));
      const StepRun run = run_compiled({program, {.target = target}, {}}, environment);
      for (std::size_t i = 0; i < loops.at("y").size(); ++i) {
        CHECK(loops.at("y")[i] == expected[i / static_cast<std::size_t>(maps)]);
        CHECK(run.values.at("y")[i] == loops.at("y")[i]);
      }
    }
  }
}

TEST_CASE("a sum without a point is +0") {
  for (const char* labels : {"(x+s+9),s->x", "(x+s+9),s->xs", "xs,s->x;s-x+9"}) {
    Graph graph;
    Builder builder(graph);
    const ContractLabels parsed = contract_labels(labels);
    const Shape shape = parsed.a.size() == 2 ? Shape{40, 3} : Shape{4};
    const Expr x{&builder, add_leaf(builder, "x", {DType::kF64, shape})};
    const Expr k{&builder, add_leaf(builder, "k", {DType::kF64, {3}})};
    const Shape result = parsed.result.size() == 2 ? Shape{40, 3} : Shape{40};
    graph.outputs = {{"y", contract(x, k, parsed, result).value}};
    const Environment<double> environment = default_environment(graph);
    const loop::Program program = lowered(graph);
    const StepValues loops = run_loops(program, environment);
    const double last = loops.at("y").back();
    INFO(labels);
    CHECK((last == 0 && !std::signbit(last)));
    const StepRun run = run_compiled({program, {}, {}}, environment, 2);
    CHECK(first_difference(run.values, loops) == "");
  }
}

/// A view in front of the window moves its bounds along.
TEST_CASE("a window reads through a change of shape") {
  Graph graph;
  graph.batch = 3;
  Builder builder(graph);
  const Expr x{&builder, add_leaf(builder, "x", {DType::kF64, {kBatch, 20}})};
  const Expr k{&builder, add_leaf(builder, "k", {DType::kF64, {9, 3, 3}})};
  const Expr image = reshape(x, {kBatch, 4, 5});
  const Expr y = contract(image, k, contract_labels("b(y+r-1)(2x+s-1),ors->byxo"), {kBatch, 4, 3, 9});
  const Expr flat = reshape(y, {kBatch, 108});
  const Expr again = contract(flat, k, contract_labels("b(2z+r-3),ors->bzso"), {kBatch, 56, 3, 9});
  graph.outputs = {{"y", again.value}};
  OpSample sample;
  sample.environment = default_environment(graph);
  sample.graph = std::move(graph);
  sample.result = again.value;
  sample.operands = {x.value, k.value};
  add_gradients(sample);
  for (const Way& way : other_ways()) check_way(sample, way, 2);
}

TEST_CASE("labels print as they were read, and permuting them twice changes nothing") {
  for (const char* text :
       {"bi,oi->bo", ",->", "i,i->", "b(2y+r-1)(2x+s-1)c,orsc->byxo", "byxo,b(2y+r-1)(2x+s-1)c->orsc",
        "byxo,orsc->b(2y+r-1)(2x+s-1)c", "b(y+2r)gc,gorc->bygo", "hqk,hkd->hqd;q-k",
        "hqk,hkd->hqd;q-k+1,k-q-3", "b(2y+r)(2x+s)c,->byxc;r=2,s=2", "(3y+2r+10),r->y;y-r-2"}) {
    INFO(text);
    const ContractLabels labels = contract_labels(text);
    CHECK(contract_text(labels) == text);
    const ContractLabels once = with_lists(labels, labels.result, labels.b, labels.a);
    CHECK(contract_labels(contract_text(once)) == once);
    CHECK(contract_text(with_lists(once, once.result, once.b, once.a)) == text);
  }
  CHECK(contract_text(contract_labels("(1y+1r+0),r->y;y-r+0;r-y")) == "(y+r),r->y;y-r,r-y");
}

TEST_CASE("labels that say nothing, and why") {
  const auto reason = [](const char* text) {
    const auto parsed = parse_contract(text);
    const std::string* found = std::get_if<std::string>(&parsed);
    return found == nullptr ? "" : *found;
  };
  const std::string window = ", expected two labels as in `(2y+r-1)`";
  CHECK(reason("(2y),r->yr") == "a window `(2y)`" + window);
  CHECK(reason("(y+r,r->y") == "a window `(y+r`" + window);
  CHECK(reason("(0y+r),r->y") == "a window `(0y+r)`" + window);
  CHECK(reason("(y+y),r->yr") == "a window `(y+y)`" + window);
  CHECK(reason("(y-r),r->y") == "a window `(y-r)`" + window);
  CHECK(reason("(y+r+1234567890),r->y") == "a window `(y+r+1234567890)`" + window);
  CHECK(reason("y),r->yr") == "`)` as a label, expected a letter");
  CHECK(reason("(y+r),->y") == "label `r` in windows alone, expected its size as in `;r=2`");
  CHECK(reason("(y+r),r->y;r=2") == "the size of label `r`, which an axis has");
  CHECK(reason("(y+r),->y;r=2,r=3") == "the size of label `r` twice");
  CHECK(reason("(y+r),->y;r=2,s=3") == "the size of label `s`, which no window has");
  CHECK(reason("(y+r),->y;r=0") == "a size `r=0`, expected 1 or more as in `r=2`");
  CHECK(reason("qk,k->q;q+k") ==
        "a guard `q+k`, expected the difference of two labels as in `q-k` or `q-k+1`");
  CHECK(reason("qk,k->q;q-q") ==
        "a guard `q-q`, expected the difference of two labels as in `q-k` or `q-k+1`");
  CHECK(reason("qk,k->q;") == "a guard ``, expected the difference of two labels as in `q-k` or `q-k+1`");
  CHECK(reason("qk,k->q;q-z") == "a guard on label `z`, which no axis has");
  CHECK(reason("qz,k->qk") == "label `z` in one operand alone and not in the result");
}

TEST_CASE("types of contractions with windows") {
  const auto typed = [](const Shape& a, const Shape& b, const char* labels, const Shape& declared) {
    const std::vector<TensorType> operands{{DType::kF64, a}, {DType::kF64, b}};
    const TypeResult result =
        ops::contract.type({operands, ContractedAxes{contract_labels(labels)}, {DType::kF64, declared}});
    const std::string* reason = std::get_if<std::string>(&result);
    return reason != nullptr ? *reason : type_text(std::get<TensorType>(result));
  };
  CHECK(typed({kBatch, 9, 2}, {4, 3, 2}, "b(2y+r-1)c,orc->byo", {kBatch, 5, 4}) == "f64[*batch, 5, 4]");
  CHECK(typed({5}, {3}, "y,r->(y+r)", {90}) == "f64[90]");
  CHECK(typed({5}, {3}, "y,r->(y+r)", {}) == "1 labels `(y+r)` for a result of shape []");
  CHECK(typed({kBatch, 9, 2}, {4, 3, 2}, "b(2y+r-1)c,orc->byo", {kBatch, 5, 5}) ==
        "axes of 2 sizes under label `o`: [4] and [5]");
  CHECK(typed({9}, {3}, "y(y+r),r->y", {9}) == "2 labels `y(y+r)` for an operand of shape [9]");
  CHECK(typed({kBatch}, {3}, "(y+r),r->y", {9}) == "a window along the batch in `(y+r)`");
  CHECK(typed({9}, {kBatch}, "(y+r),r->y", {9}) == "the batch under label `r` of a window");
  CHECK(typed({kBatch}, {3}, "q,k->qk;q-k", {}) == "the batch under label `q` of a guard");
  CHECK(typed({9}, {3}, "(999999999y+999999999r),r->y", {900000}) ==
        "a window `(999999999y+999999999r)` that reaches 2^40 elements or more");
}

}  // namespace dlg
