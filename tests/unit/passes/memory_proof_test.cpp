// Owns the tests of the proof that a planned program keeps its memory right: each law by a plan or a program
// that breaks it.
#include "ir/loop/memory_proof.h"

#include <algorithm>

#include "ir/loop/kernel_accesses.h"
#include "support/arithmetic.h"
#include "support/wake_defect.h"
#include "tests/unit/passes/lowering.h"

using namespace dlg;
using test::Sketch;
using Kind = Placement::Kind;

namespace {

const Graph& classifier() {
  static const Graph graph = [] {
    Sketch s;
    test::build_classifier(s);
    return test::pipelined(s.graph, Fusion::kOn, &test::momentum_rule());
  }();
  return graph;
}

std::string proof_of(const Graph& graph, const loop::Program& program) {
  return loop::prove_memory(program, loop::obligations_of(graph)).value_or("proven");
}

/// What is found of the program that a plan is lowered to.
std::string proof_of(const Graph& graph, const Plan& plan) {
  return proof_of(graph, lower_to_loops(graph, plan));
}

/// The part if it stands in the text, else the text.
std::string found_in(const std::string& text, const std::string& part) {
  return text.find(part) == std::string::npos ? text : part;
}

loop::Program program_of(const Graph& graph) {
  return lower_to_loops(graph, plan_memory(graph));
}

/// The number of the kernel that stores to a buffer of this kind and source.
std::size_t writer_of(const loop::Program& program, loop::BufferKind kind, std::string_view source) {
  const std::optional<loop::BufferId> id = program.find_buffer(kind, source);
  REQUIRE(id.has_value());
  for (std::size_t k = 0; k < program.kernels.size(); ++k) {
    for (const loop::Access& store : loop::accesses_of(program.kernels[k]).stores) {
      if (store.buffer == *id) return k;
    }
  }
  FAIL("nobody stores " << source);
  return 0;
}

std::vector<loop::StoreInstruction*> stores_of(loop::Body& body) {
  std::vector<loop::StoreInstruction*> stores;
  for (loop::Statement& statement : body) {
    if (statement.store) stores.push_back(&*statement.store);
    for (loop::Loop& loop : statement.loop) {
      for (loop::StoreInstruction* store : stores_of(loop.body)) stores.push_back(store);
    }
  }
  return stores;
}

/// The innermost body of a kernel's first nest.
loop::Body& innermost(loop::Body& body) {
  for (loop::Statement& statement : body) {
    for (loop::Loop& loop : statement.loop) return innermost(loop.body);
  }
  return body;
}

}  // namespace

TEST_CASE("a planned step is proven, fused or not") {
  Sketch s;
  test::build_classifier(s);
  for (const Fusion fusion : {Fusion::kOn, Fusion::kOff, Fusion::kWithoutUpdates}) {
    const Graph graph = test::pipelined(s.graph, fusion, &test::momentum_rule());
    CHECK(proof_of(graph, plan_memory(graph)) == "proven");
  }
}

TEST_CASE("values in each other's place are found") {
  Plan plan = plan_memory(classifier());
  for (Placement& placement : plan.placements) {
    if (placement.kind == Kind::kArena) placement.offset = 0;
  }
  CHECK(proof_of(classifier(), plan) != "proven");
  // Two lifetimes that do meet.
  plan = plan_memory(classifier());
  std::vector<Placement*> arena;
  for (Placement& placement : plan.placements) {
    if (placement.kind == Kind::kArena) arena.push_back(&placement);
  }
  int overwritten = 0;
  for (Placement* a : arena) {
    for (Placement* b : arena) {
      const bool meet = a != b && a->first_group < b->first_group && b->first_group < a->last_group;
      if (!meet) continue;
      const std::int64_t before = b->offset;
      b->offset = a->offset;
      const std::string text = proof_of(classifier(), plan);
      CHECK(text != "proven");
      overwritten += text.find("over which kernel `") == std::string::npos ? 0 : 1;
      b->offset = before;
    }
  }
  CHECK(overwritten > 0);
}

TEST_CASE("one byte of an overlap is enough, whatever the kernels between do") {
  loop::Program program = program_of(classifier());
  std::vector<loop::BufferId> arena;
  for (const loop::BufferId id : program.buffers.ids()) {
    if (program.buffers[id].kind == loop::BufferKind::kArena) arena.push_back(id);
  }
  REQUIRE(arena.size() >= 2);
  int found = 0;
  for (const loop::BufferId moved : arena) {
    for (const loop::BufferId other : arena) {
      if (moved == other) continue;
      loop::Program broken = program;
      broken.buffers[moved].offset =
          broken.buffers[other].offset + loop::bytes_of(broken.buffers[other], broken.batch) - 1;
      found += proof_of(classifier(), broken) == "proven" ? 0 : 1;
    }
  }
  CHECK(found > 0);
}

TEST_CASE("a kernel that is left out is found") {
  const loop::Program program = program_of(classifier());
  for (std::size_t k = 0; k < program.kernels.size(); ++k) {
    loop::Program broken = program;
    broken.kernels.erase(broken.kernels.begin() + static_cast<std::ptrdiff_t>(k));
    INFO(program.kernels[k].name);
    CHECK(proof_of(classifier(), broken) != "proven");
  }
}

TEST_CASE("kernels in the reverse order are found") {
  loop::Program program = program_of(classifier());
  std::reverse(program.kernels.begin(), program.kernels.end());
  CHECK(found_in(proof_of(classifier(), program), "before it is stored") == "before it is stored");
}

TEST_CASE("a lost output and a lost effect are found") {
  const Plan whole = plan_memory(classifier());
  Plan plan = whole;
  for (Placement& placement : plan.placements) {
    if (placement.output != "predict") continue;
    placement.kind = Kind::kArena;
    placement.offset = plan.arena_bytes;
  }
  CHECK(found_in(proof_of(classifier(), plan), "the output `predict` of type") ==
        "the output `predict` of type");
  plan = whole;
  for (Placement& placement : plan.placements) {
    if (placement.kind != Kind::kState) continue;
    placement.kind = Kind::kArena;
    placement.offset = plan.arena_bytes;
    plan.arena_bytes += rounded_up(placement.bytes, kPlanAlignment);
  }
  CHECK(found_in(proof_of(classifier(), plan), "does not get its new value") == "does not get its new value");
}

TEST_CASE("a state that gets the value of another is found") {
  Plan plan = plan_memory(classifier());
  for (Placement& placement : plan.placements) {
    if (placement.kind != Kind::kState) continue;
    const std::string& path = classifier().states[placement.state].path;
    if (path == "net.W1") placement.state = *classifier().find_state("net.W1.v");
    if (path == "net.W1.v") placement.state = *classifier().find_state("net.W1");
  }
  CHECK(found_in(proof_of(classifier(), plan), "gets the value of another") == "gets the value of another");
}

TEST_CASE("a state that is written twice is found") {
  loop::Program program = program_of(classifier());
  const std::size_t writer = writer_of(program, loop::BufferKind::kState, "net.b1");
  program.kernels.push_back(program.kernels[writer]);
  CHECK(proof_of(classifier(), program) != "proven");
}

TEST_CASE("a state that is written before the stop test is found") {
  loop::Program program = program_of(classifier());
  program.kernels_before_stop_test = program.kernels.size();
  CHECK(found_in(proof_of(classifier(), program), "before the stop test") == "before the stop test");
}

TEST_CASE("a stop test before the loss is found") {
  loop::Program program = program_of(classifier());
  program.kernels_before_stop_test = 0;
  CHECK(found_in(proof_of(classifier(), program), "the stop test does not follow the loss") ==
        "the stop test does not follow the loss");
}

TEST_CASE("a state that is written before its last reader is found") {
  loop::Program program = program_of(classifier());
  const std::size_t writer = writer_of(program, loop::BufferKind::kState, "net.W2");
  loop::Kernel update = program.kernels[writer];
  program.kernels.erase(program.kernels.begin() + static_cast<std::ptrdiff_t>(writer));
  program.kernels.insert(program.kernels.begin(), std::move(update));
  program.kernels_before_stop_test = 0;
  CHECK(proof_of(classifier(), program) != "proven");
}

TEST_CASE("a store that does not reach every element once is found") {
  const Graph& graph = classifier();
  const loop::Program whole = program_of(graph);
  const std::size_t writer = writer_of(whole, loop::BufferKind::kState, "net.b1");
  const std::string wanted = "does not store every element";
  loop::Program program = whole;
  program.kernels[writer].body.back().loop.front().extent -= 1;
  CHECK(found_in(proof_of(graph, program), wanted) == wanted);
  program = whole;
  program.kernels[writer].body.back().loop.front().extent = kBatch;
  CHECK(found_in(proof_of(graph, program), wanted) == wanted);
}

TEST_CASE("a store of one element only is found") {
  Sketch s;
  const Expr w = s.parameter("w", {DType::kF64, {16}});
  s.output("y", exp(w));
  const Graph graph = fuse(s.graph, Fusion::kOn);
  loop::Program program = program_of(graph);
  REQUIRE(proof_of(graph, program) == "proven");
  for (loop::StoreInstruction* store : stores_of(program.kernels.front().body)) {
    store->indices = {loop::Index{}};
  }
  CHECK(found_in(proof_of(graph, program), "does not store every element") == "does not store every element");
}

TEST_CASE("a state that is read behind its own store, or at another index, is found") {
  Sketch s;
  const Expr w = s.parameter("w", {DType::kF64, {16}});
  s.graph.effects = {{StateId{0}, (w + w * w).value}};
  const Graph graph = fuse(s.graph, Fusion::kOn);
  const loop::Program whole = program_of(graph);
  REQUIRE(proof_of(graph, whole) == "proven");
  const std::string wanted = "reads `w` where it may have stored `w` already";
  loop::Program program = whole;
  loop::Body& body = innermost(program.kernels.front().body);
  std::rotate(body.begin(), body.end() - 1, body.end());
  CHECK(found_in(proof_of(graph, program), wanted) == wanted);
  program = whole;
  for (loop::Statement& statement : innermost(program.kernels.front().body)) {
    if (statement.instruction && statement.instruction->op == loop::Op::kLoad) {
      statement.instruction->indices = {loop::Index{}};
    }
  }
  CHECK(found_in(proof_of(graph, program), wanted) == wanted);
}

TEST_CASE("a copy of what is no longer there, and a lost copy, are found") {
  Sketch s;
  const TensorType type{DType::kF64, {4}};
  const Expr a = s.parameter("a", type);
  const Expr b = s.parameter("b", type);
  s.graph.effects = {{StateId{0}, b.value}, {StateId{1}, (a + b).value}};
  const Graph graph = fuse(s.graph, Fusion::kOn);
  const loop::Program whole = program_of(graph);
  REQUIRE(proof_of(graph, whole) == "proven");
  REQUIRE_FALSE(whole.copies.empty());
  loop::Program program = whole;
  program.copies.clear();
  CHECK(found_in(proof_of(graph, program), "does not get its new value") == "does not get its new value");
  program = whole;
  program.copies.push_back(program.copies.front());
  CHECK(found_in(proof_of(graph, program), "and once more") == "and once more");
}

TEST_CASE("a wrong role is found: an output that is read as well and left to its readers") {
  Sketch s;
  const Expr x = s.input("x", {DType::kF64, {kBatch, 12}});
  const Expr row = exp(x);
  s.output("row", row);
  s.output("twice", row * row);
  const AwakeDefect awake(Defect::kWrongRole);
  const Graph graph = fuse(s.graph, Fusion::kOn);
  CHECK(found_in(proof_of(graph, plan_memory(graph)), "the output `row` is not stored") ==
        "the output `row` is not stored");
}

TEST_CASE("a reading through a view that the planner did not see is found") {
  Sketch s;
  const TensorType type{DType::kF64, {12, 12}};
  const Expr a = s.parameter("a", type);
  const Expr b = s.parameter("b", type);
  // Each new value needs the other's old one, turned over: one of the two cannot be written in place.
  s.graph.effects = {{StateId{0}, (exp(a) + transpose(b, {1, 0})).value},
                     {StateId{1}, (exp(b) + transpose(a, {1, 0})).value}};
  const Graph graph = fuse(s.graph, Fusion::kOn);
  REQUIRE(proof_of(graph, plan_memory(graph)) == "proven");
  const AwakeDefect awake(Defect::kHiddenReads);
  const std::string wanted = "reads the old value of";
  CHECK(found_in(proof_of(graph, plan_memory(graph)), wanted) == wanted);
}

TEST_CASE("a deep program is proven in little more than linear time") {
  // Thousands of buffers: a proof that compares all pairs would take minutes.
  constexpr int kLayers = 1000;
  Sketch s;
  const TensorType row{DType::kF64, {kBatch, 16}};
  Expr h = s.input("x", row);
  for (int layer = 0; layer < kLayers; ++layer) {
    const Expr w = s.parameter("w" + std::to_string(layer), {DType::kF64, {16, 16}});
    h = contract(h, w, "bi,oi->bo");
  }
  s.output("y", h);
  Graph graph = s.graph;
  name_nodes(graph);
  for (const ValueId value : graph.nodes.ids()) {
    if (!is<Leaf>(*graph[value].op)) graph.groups.add({graph.name(value), {value}});
  }
  const loop::Program program = program_of(graph);
  CHECK(program.buffers.size() > 2 * kLayers - 1);
  CHECK(proof_of(graph, program) == "proven");
}
