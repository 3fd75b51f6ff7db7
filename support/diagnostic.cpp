#include "support/diagnostic.h"

#include <algorithm>
#include <numeric>
#include <tuple>

namespace dlg {
namespace {

/// The exit code that belongs to one error.
int exit_code_of(DiagCode code) {
  constexpr int kFirstDivergence = 800;
  constexpr int kFirstEnvironment = 900;
  const int number = static_cast<int>(code);
  if (number >= kFirstEnvironment) return 3;
  return number >= kFirstDivergence ? 5 : 1;
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_same_letter(char a, char b) {
  return lower(a) == lower(b);
}

/// Damerau-Levenshtein distance (optimal string alignment) of two short words; `Adam` is `adam`.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substitute = d[i - 1][j - 1] + (is_same_letter(a[i - 1], b[j - 1]) ? 0 : 1);
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, substitute});
      const bool is_swap =
          i > 1 && j > 1 && is_same_letter(a[i - 1], b[j - 2]) && is_same_letter(a[i - 2], b[j - 1]);
      if (is_swap) d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  }
  return d[a.size()][b.size()];
}

}  // namespace

const std::vector<DiagCodeInfo>& diagnostic_codes() {
  static const std::vector<DiagCodeInfo> rows = {
#define DLG_DIAGNOSTIC(name, number, title, explanation) {DiagCode::name, #name, title, explanation},
#include "support/diagnostic_codes.def"
#undef DLG_DIAGNOSTIC
  };
  return rows;
}

std::string code_text(DiagCode code) {
  return fmt::format("DLG{:04}", static_cast<int>(code));
}

Report& Report::here(std::string text) {
  diagnostic_.range_text = std::move(text);
  return *this;
}

Report& Report::label(SourceRange range, std::string text) {
  diagnostic_.labels.push_back({range, std::move(text)});
  return *this;
}

Report& Report::note(std::string text) {
  diagnostic_.notes.push_back(std::move(text));
  return *this;
}

Report& Report::suggest(SourceRange range, std::string replacement, std::string text) {
  diagnostic_.suggestion = Suggestion{range, std::move(replacement), std::move(text)};
  return *this;
}

Report Diagnostics::add(Diagnostic diagnostic) {
  const bool is_new = seen_.emplace(diagnostic.code, diagnostic.range, diagnostic.message).second;
  if (!is_new) {
    duplicate_ = std::move(diagnostic);
    return Report(duplicate_);
  }
  items_.push_back(std::move(diagnostic));
  return Report(items_.back());
}

std::size_t Diagnostics::error_count() const {
  return static_cast<std::size_t>(std::count_if(
      items_.begin(), items_.end(), [](const Diagnostic& d) { return d.severity == Severity::kError; }));
}

std::vector<Diagnostic> Diagnostics::sorted() const {
  std::vector<Diagnostic> result = items_;
  const auto key = [](const Diagnostic& d) { return std::tuple(d.range.file, d.range.begin, d.severity); };
  std::stable_sort(result.begin(), result.end(),
                   [&](const Diagnostic& a, const Diagnostic& b) { return key(a) < key(b); });
  return result;
}

int Diagnostics::exit_code() const {
  int code = 0;
  for (const Diagnostic& item : items_) {
    if (item.severity != Severity::kError) continue;
    const int own = exit_code_of(item.code);
    code = code == 0 || code == own ? own : 1;
  }
  return code;
}

std::optional<std::string> nearest_name(std::string_view name, const std::vector<std::string>& candidates) {
  const std::size_t limit = std::max<std::size_t>(1, name.size() / 3);
  std::size_t best = limit + 1;
  std::optional<std::string> nearest;
  for (const std::string& candidate : candidates) {
    const std::size_t gap = std::max(name.size(), candidate.size()) - std::min(name.size(), candidate.size());
    if (gap > limit || candidate == name) continue;
    const std::size_t distance = edit_distance(name, candidate);
    // Names that share no letter are not misspellings of one another.
    if (distance < best && distance < std::max(name.size(), candidate.size())) {
      best = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

}  // namespace dlg
