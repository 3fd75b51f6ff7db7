// Owns what must hold for a random graph at every stage of the pipeline.
#pragma once

#include <optional>
#include <string>

#include "tests/random_graphs/generator.h"
#include "tests/random_graphs/rules.h"

namespace dlg::test {

/// What was found wrong, with the stage; nullopt: everything holds.
using Failure = std::optional<std::string>;

/// Verifies, prints, parses and prints again, and interprets the graph before and after every pass: outputs
/// and effects keep their bits, effects are what the rule says, gradients agree with dual numbers.
Failure check_graph_passes(const RandomGraph& random);

/// Which of the three update rules a graph gets follows from its seed.
const TestRule& rule_of(const RandomGraph& random);

/// The graph's numbers, with those for the states and hyper-parameters that its rule has brought.
Environment<double> environment_of(const Graph& updated, const RandomGraph& random);

}  // namespace dlg::test
