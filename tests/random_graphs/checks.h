// Owns what must hold for a random graph at every stage of the pipeline.
#pragma once

#include <optional>
#include <string>

#include "tests/random_graphs/generator.h"

namespace dlg::test {

/// What was found wrong, with the stage; nullopt: everything holds.
using Failure = std::optional<std::string>;

/// Verifies, prints, parses and prints again, and interprets the graph before and after every pass: outputs
/// and effects keep their bits, effects are what the rule says, gradients agree with dual numbers.
Failure check_graph_passes(const RandomGraph& random);

/// Which of the three update rules a graph gets follows from its seed.
std::string_view rule_of(const RandomGraph& random);

}  // namespace dlg::test
