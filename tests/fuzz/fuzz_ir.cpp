// Owns the fuzz target of textual IR: what is a well-formed graph or loop program prints to a text that
// prints to itself.
#include <cstddef>
#include <cstdint>

#include "ir/graph/text.h"
#include "ir/graph/verify.h"
#include "ir/loop/text.h"
#include "ir/loop/verify.h"
#include "support/check.h"
#include "support/render.h"

namespace {

using dlg::Diagnostics;
using dlg::FileId;
using dlg::Sources;

void check_graph(Sources& sources, FileId file, Diagnostics& diagnostics) {
  const auto graph = dlg::parse_graph(sources, file, diagnostics);
  if (!graph || dlg::verify(*graph, dlg::least_stage(*graph))) return;
  const std::string text = dlg::print_graph(*graph, sources);
  const auto again = dlg::parse_graph(sources, sources.add("printed.ir", text), diagnostics);
  DLG_CHECK(again.has_value(), "a printed graph is read again");
  DLG_CHECK(dlg::print_graph(*again, sources) == text, "a graph that was read prints to the same text");
}

void check_loops(Sources& sources, FileId file, Diagnostics& diagnostics) {
  const auto program = dlg::loop::parse_program(sources, file, diagnostics);
  if (!program || dlg::loop::verify(*program)) return;
  const std::string text = dlg::loop::print_program(*program, sources);
  const auto again = dlg::loop::parse_program(sources, sources.add("printed.loops", text), diagnostics);
  DLG_CHECK(again.has_value(), "a printed loop program is read again");
  DLG_CHECK(dlg::loop::print_program(*again, sources) == text, "what was read prints to the same text");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Sources sources;
  Diagnostics diagnostics;
  const FileId file = sources.add("net.ir", {reinterpret_cast<const char*>(data), size});
  if (sources.text(file).substr(0, 7) == "program") {
    check_loops(sources, file, diagnostics);
  } else {
    check_graph(sources, file, diagnostics);
  }
  dlg::render_all(sources, diagnostics, dlg::Color::kOff);
  return 0;
}
