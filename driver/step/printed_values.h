// Owns numbers that somebody printed - a slide, a book: how they agree with computed ones, and what may have
// gone wrong with them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/files.h"
#include "support/diagnostic.h"

namespace dlg {

/// One line of the sheet.
struct PrintedValue {
  std::string name;  // `dnet.W2[0, 0]`, as `dlg step` shows it
  std::string text;  // as printed: "0.082187"
  double value = 0;
  double unit = 0;    // of the last printed digit
  std::string label;  // what the sheet calls it: "w5"; empty: nothing
  std::string place;  // "slide.csv:7"
};

/// Reads a CSV file with the columns `name` and `printed`, and perhaps `label`. nullopt after a diagnostic:
/// no such columns, a cell that is no plain decimal number.
std::optional<std::vector<PrintedValue>> read_printed_values(const FileRequest& file,
                                                             Diagnostics& diagnostics);

enum class Agreement { kRounded, kCut, kNone };

/// Whether the printed digits are those of `computed`, rounded or cut off.
Agreement agreement_of(const PrintedValue& printed, double computed);

/// "a digit is missing", "one digit differs: 8 for 6": how the printed digits come from the computed ones by
/// one slip; empty: by none that is known.
std::string slip_text(const PrintedValue& printed, double computed);

}  // namespace dlg
