// Owns the tests of broken IR: valid texts of every stage with one thing broken in each, through the passes
// of `dlg-opt`. Each gets exit code 0 or 1, and with 1 a message of ours with a line; never a crash.
//
// DLG_MUTATION_SEED and DLG_MUTATION_COUNT choose others; a case that fails is printed with its text.
#include <fmt/format.h>

#include <cstdlib>
#include <regex>
#include <sstream>

#include "driver/main.h"
#include "ir/graph/text.h"
#include "ir/loop/text.h"
#include "passes/lower_to_loops.h"
#include "passes/pipeline.h"
#include "passes/schedule/schedule_loops.h"
#include "tests/catch.h"
#include "tests/mutations/batches.h"
#include "tests/mutations/text_breaker.h"
#include "tests/random_graphs/generator.h"
#include "tests/random_graphs/rules.h"

namespace dlg {
namespace {

using test::Random;

constexpr unsigned kSeconds = 10;
constexpr std::uint64_t kGraphs = 24;

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

/// The texts of every stage of some random graphs, and their loop programs.
std::vector<std::string> base_texts() {
  std::vector<std::string> texts;
  for (std::uint64_t seed = 1; seed <= kGraphs; ++seed) {
    const test::RandomGraph random = test::random_graph(seed);
    const test::RuleSource& source = test::test_rules()[seed % test::test_rules().size()].rule;
    const UpdateRule rule = test::elaborated(source, random.graph);
    texts.push_back(print_graph(random.graph, Sources()));
    const PassContext context{.rule = seed % 3 == 0 ? nullptr : &rule,
                              .fusion = seed % 2 == 0 ? Fusion::kOn : Fusion::kOff};
    const Graph fused = run_pipeline(random.graph, context, [&](const PassInfo&, const Graph& graph) {
      texts.push_back(print_graph(graph, Sources()));
      return true;
    });
    const loop::Program program = lower_to_loops(fused, plan_memory(fused));
    texts.push_back(loop::print_program(program, Sources()));
    const loop::Core& core = loop::cores()[seed % loop::cores().size()];
    texts.push_back(loop::print_program(schedule_loops(program, core), Sources()));
  }
  return texts;
}

const std::vector<std::string> kPasses{"",
                                       "differentiate",
                                       "read",
                                       "simplify",
                                       "guard",
                                       "fuse",
                                       "order",
                                       "loops",
                                       "schedule",
                                       "order,loops",
                                       "simplify,loops",
                                       "simplify,guard,fuse,order,loops",
                                       "differentiate,simplify,guard,fuse,order,loops,schedule"};

struct Called {
  int exit_code = 0;
  std::string err;
};

Called call(const std::string& text, const std::string& passes) {
  std::vector<std::string> arguments;
  if (!passes.empty()) arguments = {"-p", passes};
  std::istringstream in(text);
  std::ostringstream out;
  std::ostringstream err;
  Called called;
  called.exit_code = run_dlg_opt(arguments, in, out, err);
  called.err = err.str();
  return called;
}

/// What is wrong with an answer, or nothing.
std::string fault_of(const Called& called) {
  static const std::regex kPlace(R"(--> [^\n]*:\d+:\d+)");
  if (called.exit_code == 0) return "";
  if (called.exit_code != 1) return fmt::format("exit code {}", called.exit_code);
  if (called.err.find("error[DLG") == std::string::npos) return "an error without a code";
  return std::regex_search(called.err, kPlace) ? "" : "an error without a place";
}

std::string broken_text(const std::vector<std::string>& texts, const test::TextBreak& way, Random& random) {
  test::Lines lines = test::lines_of(random.pick(texts));
  constexpr int kTries = 20;
  for (int i = 0; i < kTries && !way.run(lines, random); ++i) lines = test::lines_of(random.pick(texts));
  return test::text_of(lines);
}

std::string text_case(const std::vector<std::string>& texts, std::size_t index) {
  Random random(from_environment("DLG_MUTATION_SEED", 1) * 1'000'003 + index);
  const test::TextBreak& way = test::text_breaks()[index % test::text_breaks().size()];
  const std::string text = broken_text(texts, way, random);
  std::string faults;
  for (const std::string& passes : {kPasses.front(), random.pick(kPasses), random.pick(kPasses)}) {
    const Called called = call(text, passes);
    const std::string fault = fault_of(called);
    if (!fault.empty()) faults += fmt::format("{}, -p {}: {}\n{}\n", way.name, passes, fault, called.err);
  }
  return faults.empty() ? "" : faults + text;
}

}  // namespace

TEST_CASE("texts of the IR with one thing broken get a message with a line") {
  const std::vector<std::string> texts = base_texts();
  const auto count = static_cast<std::size_t>(from_environment("DLG_MUTATION_COUNT", 4000));
  const std::vector<std::string> wrong =
      test::run_cases(count, kSeconds, [&](std::size_t i) { return text_case(texts, i); });
  for (const std::string& line : wrong) UNSCOPED_INFO(line);
  CHECK(wrong.empty());
}

TEST_CASE("every way to break a text is refused somewhere, and what is whole is not") {
  const std::vector<std::string> texts = base_texts();
  for (const std::string& text : texts) CHECK(call(text, "").err == "");
  for (const test::TextBreak& way : test::text_breaks()) {
    Random random(7);
    int refused = 0;
    for (int i = 0; i < 60 && refused == 0; ++i) {
      refused += call(broken_text(texts, way, random), "").exit_code == 1 ? 1 : 0;
    }
    INFO(way.name);
    CHECK(refused == 1);
  }
}

}  // namespace dlg
