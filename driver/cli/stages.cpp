#include "driver/cli/stages.h"

#include <fmt/format.h>

#include "passes/pipeline.h"

namespace dlg {
namespace {

constexpr ShownStage kBefore[] = {
    {"ast", "parse", "the text, brackets and positions; errors have been reported and recovered from"},
    {"graph", "check",
     "every name is resolved, every value has a type; one node per value that the source names"},
};

constexpr ShownStage kAfter[] = {
    {"plan", "plan", "every value has its place"},
    {"loops", "loops",
     "no value is overwritten while it is needed (the proof of memory, below); the order of every sum is "
     "fixed; "
     "the loop interpreter and the machine code agree bit for bit"},
    {"scheduled", "schedule",
     "everything that depends on the core is decided and in the text; every element is computed once, no two "
     "workers "
     "meet; the loop interpreter, in the order of the schedule, gives the bits of `loops`"},
    {"llvm", "llvm", "explicit vectors, no fast-math flag, no calls outside an allow-list"},
    {"asm", "object", "the machine code of the target, from the same LLVM IR"},
};

}  // namespace

std::vector<ShownStage> shown_stages() {
  std::vector<ShownStage> stages(std::begin(kBefore), std::end(kBefore));
  for (const PassInfo& pass : graph_pipeline()) stages.push_back({pass.makes, pass.name, pass.holds});
  stages.insert(stages.end(), std::begin(kAfter), std::end(kAfter));
  return stages;
}

std::vector<std::string> stage_names() {
  std::vector<std::string> names;
  for (const ShownStage& stage : shown_stages()) {
    if (!stage.name.empty()) names.emplace_back(stage.name);
  }
  return names;
}

std::string stage_table() {
  std::string text = "| stage | made by | what holds from there on |\n|---|---|---|\n";
  for (const ShownStage& stage : shown_stages()) {
    const std::string name = stage.name.empty() ? "" : fmt::format("`{}` ", stage.name);
    text += fmt::format("| {}| {} | {} |\n", name, stage.made_by, stage.holds);
  }
  return text;
}

}  // namespace dlg
