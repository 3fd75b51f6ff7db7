#include "driver/cli/diagnostics_json.h"

#include "runtime/json.h"

namespace dlg {
namespace {

int severity_number(Severity severity) {
  switch (severity) {
    case Severity::kError:
      return 1;
    case Severity::kWarning:
      return 2;
    case Severity::kNote:
      break;
  }
  return 3;
}

Json position(const Sources& sources, FileId file, std::uint32_t offset) {
  const LineColumn at = sources.line_column(file, offset);
  return Json::object().set("line", at.line - 1).set("character", at.column - 1);
}

/// Sets `file` and `range`; neither where the diagnostic has no place.
void set_place(Json& json, const Sources& sources, SourceRange range) {
  if (!range.is_valid()) return;
  json.set("file", sources.name(range.file));
  json.set("range", Json::object()
                        .set("start", position(sources, range.file, range.begin))
                        .set("end", position(sources, range.file, range.end)));
}

Json label_json(const Sources& sources, const Label& label) {
  Json json = Json::object();
  set_place(json, sources, label.range);
  json.set("message", label.text);
  return json;
}

Json suggestion_json(const Sources& sources, const Suggestion& suggestion) {
  Json json = Json::object().set("title", suggestion.text);
  set_place(json, sources, suggestion.range);
  return json.set("newText", suggestion.replacement);
}

Json diagnostic_json(const Sources& sources, const Diagnostic& diagnostic) {
  Json json = Json::object();
  set_place(json, sources, diagnostic.range);
  json.set("severity", severity_number(diagnostic.severity)).set("code", code_text(diagnostic.code));
  json.set("source", "dlg").set("message", diagnostic.message);
  Json related = Json::array();
  if (!diagnostic.range_text.empty()) {
    related.push(label_json(sources, {diagnostic.range, diagnostic.range_text}));
  }
  for (const Label& label : diagnostic.labels) related.push(label_json(sources, label));
  json.set("relatedInformation", std::move(related)).set("notes", Json::array_of(diagnostic.notes));
  if (diagnostic.suggestion) json.set("suggestion", suggestion_json(sources, *diagnostic.suggestion));
  return json;
}

}  // namespace

std::string diagnostics_json(const Sources& sources, const Diagnostics& diagnostics) {
  std::string text;
  for (const Diagnostic& diagnostic : diagnostics.sorted()) {
    text += json_text(diagnostic_json(sources, diagnostic)) + "\n";
  }
  return text;
}

}  // namespace dlg
