// Owns the labels of a contraction: one for each axis of both operands and the result ("bi,oi->bo"), or a
// window of two ("b(2y+r-1)c,orc->byo"), and which points they leave out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace dlg {

/// A label with a factor of 1 or more; 0 for the label: there is none.
struct LabelTerm {
  char label = 0;
  std::int64_t factor = 1;
  friend bool operator==(const LabelTerm&, const LabelTerm&) = default;
};

/// An axis: a bare label (`out`, with the factor 1), or a window out + tap + offset. A point of which the
/// window does not lie inside of the axis is left out.
struct LabelledAxis {
  LabelTerm out;
  LabelTerm tap = {};
  std::int64_t offset = 0;

  bool is_window() const { return tap.label != 0; }
  friend bool operator==(const LabelledAxis&, const LabelledAxis&) = default;
};
using LabelledAxes = std::vector<LabelledAxis>;

/// Points with `minuend` - `subtrahend` + `offset` < 0 are left out.
struct LabelGuard {
  char minuend = 0;
  char subtrahend = 0;
  std::int64_t offset = 0;
  friend bool operator==(const LabelGuard&, const LabelGuard&) = default;
};

/// The size of a label that no axis shows.
struct LabelSize {
  char label = 0;
  std::int64_t size = 0;
  friend bool operator==(const LabelSize&, const LabelSize&) = default;
};

struct ContractLabels {
  LabelledAxes a;
  LabelledAxes b;
  LabelledAxes result;
  std::vector<LabelGuard> guards = {};
  std::vector<LabelSize> sizes = {};

  friend bool operator==(const ContractLabels&, const ContractLabels&) = default;
};

/// The axis on which `label` stands bare.
std::optional<std::size_t> bare_axis(const LabelledAxes& axes, char label);
/// Whether points may be left out: there is a window or a guard.
bool leaves_out(const ContractLabels& labels);
/// The same points under other lists: a derivative permutes them.
ContractLabels with_lists(const ContractLabels& labels, LabelledAxes a, LabelledAxes b, LabelledAxes result);

/// What a text like "bi,oi->bo", "b(2y+r-1)c,orc->byo" or "hqk,hkd->hqd;q-k" says, or the reason why it says
/// nothing: a label bare twice in one list, one that stands in one list only and in no window, one without a
/// size.
std::variant<ContractLabels, std::string> parse_contract(std::string_view text);
/// For labels that are known to be right: written in the source, or made from those of another contraction.
ContractLabels contract_labels(std::string_view text);
/// "bi,oi->bo". Factors of 1 and offsets of 0 are not written; guards stand before sizes.
std::string contract_text(const ContractLabels& labels);
/// "b(2y+r-1)c".
std::string axes_text(const LabelledAxes& axes);

}  // namespace dlg
