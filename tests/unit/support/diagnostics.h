// Owns what the tests of diagnostics share: a source, and ranges found in it by their text.
#pragma once

#include <string>
#include <string_view>

#include "support/diagnostic.h"

namespace dlg::test {

/// Any codes will do; these exist from the start.
constexpr Diag<std::string> kTestError{DiagCode::UnexpectedToken, Severity::kError, "found `{}`"};
constexpr Diag<> kTestWarning{DiagCode::DecimalComma, Severity::kWarning, "a warning"};
constexpr Diag<> kTestNote{DiagCode::PipeTarget, Severity::kNote, "a note"};

/// The range of the first `what` in the text of `file`, from `from` on.
inline SourceRange find(const Sources& sources, FileId file, std::string_view what, std::size_t from = 0) {
  const std::size_t begin = sources.text(file).find(what, from);
  return {file, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(begin + what.size())};
}

}  // namespace dlg::test
