// Owns the stages that `dlg show` prints: the passes of passes/pipeline.h with what comes before and after
// them. Help, the check of --stage and the table in docs/architecture.md follow from it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace dlg {

struct ShownStage {
  std::string_view name;     // "fused"; empty: a pass whose result is not shown on its own
  std::string_view made_by;  // "fuse"
  std::string_view holds;    // from there on
};

/// In order.
std::vector<ShownStage> shown_stages();

/// The names that --stage takes, in order.
std::vector<std::string> stage_names();

/// The rows of the table in docs/architecture.md, with its head.
std::string stage_table();

}  // namespace dlg
