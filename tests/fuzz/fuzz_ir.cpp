// Owns the fuzz target of textual IR: a graph or a loop program, verified and printed where it could be read.
#include <cstddef>
#include <cstdint>

#include "ir/graph/text.h"
#include "ir/graph/verify.h"
#include "ir/loop/text.h"
#include "ir/loop/verify.h"
#include "support/check.h"
#include "support/render.h"

namespace {

/// What is well-formed prints to a text that prints to itself.
void check_graph(const dlg::Graph& graph) {
  if (dlg::verify(graph, dlg::least_stage(graph))) return;
  dlg::Sources sources;
  dlg::Diagnostics diagnostics;
  const std::string text = dlg::print_graph(graph, sources);
  const auto again = dlg::parse_graph(sources, sources.add("printed.ir", text), diagnostics);
  DLG_CHECK(again.has_value(), "a printed graph is read again");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  dlg::Sources sources;
  dlg::Diagnostics diagnostics;
  const dlg::FileId file = sources.add("net.ir", {reinterpret_cast<const char*>(data), size});
  const std::string_view text = sources.text(file);
  if (text.substr(0, 7) == "program") {
    const auto program = dlg::loop::parse_program(sources, file, diagnostics);
    if (program) dlg::loop::verify(*program);
  } else {
    const auto graph = dlg::parse_graph(sources, file, diagnostics);
    if (graph) check_graph(*graph);
  }
  dlg::render_all(sources, diagnostics, dlg::Color::kOff);
  return 0;
}
