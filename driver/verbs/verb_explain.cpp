// Owns `dlg explain`: the text behind a diagnostic code.
#include <fmt/ostream.h>

#include <algorithm>

#include "driver/cli/usage.h"
#include "driver/verbs/verbs.h"
#include "support/text.h"

namespace dlg {
namespace {

struct ExplainOptions {
  std::string code;  // CODE; empty: all
};

void add_options(CommandOptions& options, ExplainOptions& explained) {
  options.text({"CODE", "a diagnostic code such as DLG0301; without it: the list of all"}, explained.code);
}

/// Wraps at blanks so that no line is longer than `width`.
std::string wrapped(std::string_view text, std::size_t width) {
  std::string result;
  std::size_t column = 0;
  for (const std::string_view word : split_text(text, ' ')) {
    if (column > 0 && column + 1 + word.size() > width) {
      result += '\n';
      column = 0;
    }
    if (column > 0) result += ' ';
    result += word;
    const std::size_t line_end = word.rfind('\n');
    column = line_end == std::string_view::npos ? column + word.size() + 1 : word.size() - line_end;
  }
  return result;
}

const DiagCodeInfo* find_code(std::string word) {
  std::transform(word.begin(), word.end(), word.begin(), [](unsigned char c) { return std::toupper(c); });
  for (const DiagCodeInfo& info : diagnostic_codes()) {
    const std::string code = code_text(info.code);
    if (word == code || word == code.substr(3)) return &info;
  }
  return nullptr;
}

}  // namespace

int verb_explain(Session& session, CommandLine& line) {
  ExplainOptions options;
  if (!line.read(options)) return line.exit_code();
  const std::string& word = options.code;
  if (word.empty()) {
    for (const DiagCodeInfo& info : diagnostic_codes()) {
      fmt::print(session.streams.out, "{}  {}\n", code_text(info.code), info.title);
    }
    return kExitOk;
  }
  if (const DiagCodeInfo* info = find_code(word)) {
    fmt::print(session.streams.out, "{}: {}\n\n{}\n", code_text(info->code), info->title,
               wrapped(info->explanation, 100));
    return kExitOk;
  }
  std::vector<std::string> codes;
  for (const DiagCodeInfo& info : diagnostic_codes()) codes.push_back(code_text(info.code));
  return report_usage({"dlg", fmt::format("there is no diagnostic code `{}`", word),
                       nearest_name(word, codes), "dlg explain"},
                      session.streams.err);
}

}  // namespace dlg
