// Owns running many cases in children: one that crashes or hangs is named, and the next ones go on.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace dlg::test {

/// What is wrong with case `index`, or nothing.
using Case = std::function<std::string(std::size_t index)>;

/// Runs the cases 0 .. count - 1, many in a child; each may take `seconds`. Answers a line for each that is
/// wrong.
std::vector<std::string> run_cases(std::size_t count, unsigned seconds, const Case& run);

}  // namespace dlg::test
