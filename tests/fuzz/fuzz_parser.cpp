// Owns the fuzz target of program text: parsing, and checking what could be parsed.
#include <cstddef>
#include <cstdint>

#include "frontend/compile.h"
#include "frontend/text/parser.h"
#include "support/render.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  dlg::Sources sources;
  dlg::Diagnostics diagnostics;
  const dlg::FileId file = sources.add("net.dlg", {reinterpret_cast<const char*>(data), size});
  const dlg::ast::File tree = dlg::parse_file(sources, file, diagnostics);
  if (!diagnostics.has_errors()) dlg::compile_program(sources, tree, {}, diagnostics);
  dlg::render_all(sources, diagnostics, dlg::Color::kOff);
  return 0;
}
