#include "frontend/elaborate/row_axis.h"

#include <fmt/format.h>

#include <algorithm>

namespace dlg {
namespace {

constexpr Diag<std::string, std::string> kAlongRows{
    DiagCode::UnknownRows, Severity::kError,
    "found {} along `{}`, and how many rows a part has is known only when it is measured"};
constexpr Diag<std::string> kRowsAsNumber{
    DiagCode::UnknownRows, Severity::kError,
    "found `{}` as a number, and how many rows a part has is known only when it is measured"};

}  // namespace

bool has_row_axis(const Axes& axes) {
  return std::any_of(axes.begin(), axes.end(), is_row_axis);
}

bool check_sizes_known(Elaboration& e, const Axes& axes, const std::string& what, SourceRange range) {
  const auto rows = std::find_if(axes.begin(), axes.end(), is_row_axis);
  if (rows == axes.end()) return true;
  const std::string name = rows->name.empty() ? "rows" : rows->name;
  e.error(range, kAlongRows, what, name)
      .note(fmt::format(
          "reductions, `over = {}` among them, and element-wise functions take any number of rows", name));
  return false;
}

void report_rows_as_number(Elaboration& e, const std::string& name, SourceRange range) {
  e.error(range, kRowsAsNumber, name).note("`batch_rows()` is the number, as a value to compute with");
}

}  // namespace dlg
