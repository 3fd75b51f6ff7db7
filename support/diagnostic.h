// Owns what dlg says about a user's mistake: typed declarations, labels, notes, suggestions and their
// collection.
#pragma once

#include <fmt/format.h>

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "support/source.h"

namespace dlg {

/// Every code, declared once in diagnostic_codes.def with its number, title and explanation.
enum class DiagCode : int {
#define DLG_DIAGNOSTIC(name, number, title, explanation) name = number,
#include "support/diagnostic_codes.def"
#undef DLG_DIAGNOSTIC
};

/// One row of diagnostic_codes.def.
struct DiagCodeInfo {
  DiagCode code;
  std::string_view name;
  std::string_view title;
  std::string_view explanation;
};

/// All rows in the order of the file.
const std::vector<DiagCodeInfo>& diagnostic_codes();

/// "DLG0203".
std::string code_text(DiagCode code);

enum class Severity { kError, kWarning, kNote };

/// The declaration of one diagnostic, written beside its use. The compiler checks the format against the
/// types.
template <class... Args>
struct Diag {
  DiagCode code;
  Severity severity;
  fmt::format_string<const Args&...> format;
};

/// A secondary place and what is to be seen there.
struct Label {
  SourceRange range;
  std::string text;
};

/// One edit that would mend the program.
struct Suggestion {
  SourceRange range;
  std::string replacement;
  std::string text;
};

struct Diagnostic {
  DiagCode code;
  Severity severity = Severity::kError;
  std::string message;
  SourceRange range;
  std::string range_text;  // printed behind the carets of the main range
  std::vector<Label> labels;
  std::vector<std::string> notes;
  std::optional<Suggestion> suggestion;
};

/// Adds labels, notes and a suggestion to the diagnostic just reported; used in one chained expression.
class Report {
 public:
  explicit Report(Diagnostic& diagnostic) : diagnostic_(diagnostic) {}

  Report& here(std::string text);
  Report& label(SourceRange range, std::string text);
  Report& note(std::string text);
  /// "help: did you mean `x`", with the edited line shown.
  Report& suggest(SourceRange range, std::string replacement, std::string text);

 private:
  Diagnostic& diagnostic_;
};

/// Collects the diagnostics of one compilation. The same error at the same place is kept once.
class Diagnostics {
 public:
  template <class... Args>
  Report report(SourceRange range, const Diag<Args...>& diag, const std::type_identity_t<Args>&... args) {
    return add({diag.code, diag.severity, fmt::format(diag.format, args...), range, "", {}, {}, {}});
  }

  Report add(Diagnostic diagnostic);
  bool has_errors() const { return error_count() > 0; }
  std::size_t error_count() const;
  const std::vector<Diagnostic>& all() const { return items_; }

  /// In the order of the source text, notes after errors of the same place.
  std::vector<Diagnostic> sorted() const;

  /// 0 without errors; that of the codes if all errors are of one kind: 3 for the environment (from 900), 5
  /// for a training that diverged (from 800); else 1.
  int exit_code() const;

 private:
  using Identity = std::tuple<DiagCode, SourceRange, std::string>;

  std::vector<Diagnostic> items_;
  std::set<Identity> seen_;
  Diagnostic duplicate_;
};

/// The candidate nearest to `name` in spelling, if near enough to be what was meant.
std::optional<std::string> nearest_name(std::string_view name, const std::vector<std::string>& candidates);

}  // namespace dlg
