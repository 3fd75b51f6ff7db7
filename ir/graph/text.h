// Owns the textual form of graphs: parse(print(g)) == g, and printing again gives the same bytes.
#pragma once

#include <optional>
#include <string>

#include "ir/graph/graph.h"
#include "support/diagnostic.h"

namespace dlg {

/// The graph as text, every node on a line with `; file:line`, aliases and laws in the comment. Names are
/// made unique first.
std::string print_graph(const Graph& graph, const Sources& sources);

/// Reads the textual form. Comments `; net.dlg:14` are read back as origins (into `sources` as named places),
/// so that a second printing gives the same bytes. Errors (unknown op, type mismatch, unknown name) go to
/// `diagnostics`.
std::optional<Graph> parse_graph(Sources& sources, FileId file, Diagnostics& diagnostics);

}  // namespace dlg
