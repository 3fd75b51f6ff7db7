#include "frontend/elaborate/standard_library.h"

#include "frontend/text/parser.h"
#include "support/check.h"

namespace dlg {

void for_each_declared(
    const ast::File& file,
    const std::function<void(const ast::Name& name, TopName::Kind kind, std::size_t index)>& visit) {
  const auto visit_all = [&](const auto& declared, TopName::Kind kind) {
    for (std::size_t i = 0; i < declared.size(); ++i) visit(declared[i].name, kind, i);
  };
  visit_all(file.definitions, TopName::Kind::kDefinition);
  visit_all(file.data, TopName::Kind::kData);
  visit_all(file.functions, TopName::Kind::kFunction);
  visit_all(file.optimizers, TopName::Kind::kOptimizer);
}

StandardLibrary make_standard_library(std::span<const StdFile> files) {
  StandardLibrary library;
  Diagnostics diagnostics;
  for (const StdFile& file : files) {
    const FileId id = library.sources.add(std::string(file.name), std::string(file.text), FileOrigin::kStd);
    library.units.push_back(parse_file(library.sources, id, diagnostics));
    const bool is_parsed = !diagnostics.has_errors();
    DLG_CHECK(is_parsed, std::string(file.name) + ": " + diagnostics.all().front().message);
    const std::size_t unit = kFirstStdUnit + library.units.size() - 1;
    for_each_declared(library.units.back(),
                      [&](const ast::Name& name, TopName::Kind kind, std::size_t index) {
                        if (kind == TopName::Kind::kFunction) {
                          library.overloads[name.text].push_back({unit, index});
                        }
                        library.names.try_emplace(name.text, TopName{kind, unit, {index}, name.range});
                      });
  }
  return library;
}

const StandardLibrary& standard_library() {
  static const StandardLibrary library = make_standard_library(std_files());
  return library;
}

}  // namespace dlg
