// Owns the comparison of compiled code with the f64 interpreter: which differences rounding explains.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "driver/engine/laboratory.h"

namespace dlg {

/// How many of its running bounds compiled code may be away: the reference rounds as well, and a function
/// takes more than one operation.
inline constexpr double kBounds = 4;

/// One value that both engines computed: how far they are apart, and what rounding allows.
struct ComparedValue {
  std::string label;  // `net.h`, `d net.W`
  SourceRange range;
  bool is_forward = true;
  double worst_ulp = 0;
  /// The element that is furthest beyond what its bound allows, else the one that is furthest off.
  std::size_t element = 0;
  Shape shape;
  double compiled = 0;
  double reference = 0;
  double allowed = 0;  // infinite: rounding may make anything of it
  bool is_explained = true;
};

/// Every observed value of the program, in the order in which `dlg check` prints them. `bounds` of the
/// reference: rounding errors by output; nullopt (there is no memory for them): everything counts as
/// explained.
struct Compared {
  const Observations& compiled;
  const Observations& reference;
  const std::optional<Observations>& bounds;
};
std::vector<ComparedValue> agreements(const CheckedProgram& program, const Inspection& inspection,
                                      const Compared& both);

/// The lines of `dlg check`; `rows` says of which rows, where not of the whole batch (affordable_rows.h).
std::string agreement_table(const std::vector<ComparedValue>& agreements, DType dtype,
                            const std::string& rows);

/// The unexplained value that others may follow from: the first forward one in the order of the text, else
/// the last derivative, which the reverse walk makes first. Null: there is none.
const ComparedValue* first_unexplained(const std::vector<ComparedValue>& agreements);

/// What is said of it, with its line, both values and the bound.
std::string unexplained_text(const ComparedValue& agreement, const Sources& sources);

}  // namespace dlg
