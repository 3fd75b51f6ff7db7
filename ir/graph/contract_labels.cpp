#include "ir/graph/contract_labels.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "support/check.h"
#include "support/text.h"

namespace dlg {
namespace {

using Problem = std::optional<std::string>;

/// Digits of a number: factors, offsets and sizes are multiplied with each other and with indices.
constexpr std::size_t kMostDigits = 9;

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// A place in a text of labels.
class LabelCursor {
 public:
  explicit LabelCursor(std::string_view text) : text_(text) {}

  bool at_end() const { return at_ == text_.size(); }
  char next() const { return at_end() ? '\0' : text_[at_]; }
  bool eat(char c) {
    const bool is_there = next() == c && !at_end();
    if (is_there) ++at_;
    return is_there;
  }

  std::optional<char> letter() {
    if (!is_letter(next())) return std::nullopt;
    return text_[at_++];
  }

  std::optional<std::int64_t> number() {
    const std::size_t begin = at_;
    std::int64_t value = 0;
    for (; is_digit(next()) && at_ - begin < kMostDigits; ++at_) value = 10 * value + (text_[at_] - '0');
    const bool is_good = at_ > begin && !is_digit(next());
    return is_good ? std::optional(value) : std::nullopt;
  }

  /// `2y`, or `y` for `1y`.
  std::optional<LabelTerm> term() {
    std::int64_t factor = 1;
    if (is_digit(next())) factor = number().value_or(0);
    const std::optional<char> label = letter();
    return label && factor > 0 ? std::optional(LabelTerm{*label, factor}) : std::nullopt;
  }

  /// `+1` or `-1`, 0 where there is neither.
  std::optional<std::int64_t> offset() {
    const bool is_minus = next() == '-';
    if (!eat('-') && !eat('+')) return 0;
    const std::optional<std::int64_t> value = number();
    return value && is_minus ? std::optional(-*value) : value;
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

std::optional<LabelledAxis> parse_window(std::string_view inner) {
  LabelCursor cursor(inner);
  const std::optional<LabelTerm> out = cursor.term();
  if (!out || !cursor.eat('+')) return std::nullopt;
  const std::optional<LabelTerm> tap = cursor.term();
  const std::optional<std::int64_t> offset = tap ? cursor.offset() : std::nullopt;
  const bool is_good = offset && cursor.at_end() && out->label != tap->label;
  return is_good ? std::optional(LabelledAxis{*out, *tap, *offset}) : std::nullopt;
}

/// Reads one list, as `b(2y+r-1)c`.
Problem read_axes(std::string_view list, LabelledAxes& axes) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (list[i] == '(') {
      const std::string_view inner = list.substr(i + 1, list.find(')', i) - i - 1);
      const std::optional<LabelledAxis> window = parse_window(inner);
      const bool is_closed = list.find(')', i) != std::string_view::npos;
      if (!window || !is_closed)
        return fmt::format("a window `({}`, expected two labels as in `(2y+r-1)`",
                           list.substr(i + 1, is_closed ? inner.size() + 1 : inner.size()));
      axes.push_back(*window);
      i += inner.size() + 1;
      continue;
    }
    if (!is_letter(list[i])) return fmt::format("`{}` as a label, expected a letter", list[i]);
    if (bare_axis(axes, list[i]))
      return fmt::format("label `{}` twice in `{}`, expected different ones", list[i], list);
    axes.push_back({.out = {list[i]}});
  }
  return std::nullopt;
}

/// Reads what stands behind the lists: guards like `q-k+1` and sizes like `r=2`.
Problem read_clause(std::string_view clause, ContractLabels& labels) {
  LabelCursor cursor(clause);
  const std::optional<char> label = cursor.letter();
  if (label && cursor.eat('=')) {
    const std::optional<std::int64_t> size = cursor.number();
    if (!size || *size < 1 || !cursor.at_end())
      return fmt::format("a size `{}`, expected 1 or more as in `r=2`", clause);
    labels.sizes.push_back({*label, *size});
    return std::nullopt;
  }
  const bool is_difference = label && cursor.eat('-');
  const std::optional<char> other = is_difference ? cursor.letter() : std::nullopt;
  const std::optional<std::int64_t> offset = other ? cursor.offset() : std::nullopt;
  if (!offset || !cursor.at_end() || *label == *other)
    return fmt::format("a guard `{}`, expected the difference of two labels as in `q-k` or `q-k+1`", clause);
  labels.guards.push_back({*label, *other, *offset});
  return std::nullopt;
}

std::array<const LabelledAxes*, 3> lists_of(const ContractLabels& labels) {
  return {&labels.a, &labels.b, &labels.result};
}

bool is_in_window(const ContractLabels& labels, char label) {
  return std::ranges::any_of(lists_of(labels), [&](const LabelledAxes* axes) {
    return std::ranges::any_of(*axes, [&](const LabelledAxis& axis) {
      return axis.is_window() && (axis.out.label == label || axis.tap.label == label);
    });
  });
}

bool is_bare(const ContractLabels& labels, char label) {
  return std::ranges::any_of(lists_of(labels),
                             [&](const LabelledAxes* axes) { return bare_axis(*axes, label).has_value(); });
}

/// Outside of windows a label says what belongs together: it stands in two lists.
Problem lonely_label(const ContractLabels& labels) {
  const auto find = [&](const LabelledAxes& axes, auto is_lonely) -> std::optional<char> {
    const auto found = std::ranges::find_if(axes, [&](const LabelledAxis& axis) {
      return !axis.is_window() && !is_in_window(labels, axis.out.label) && is_lonely(axis.out.label);
    });
    return found == axes.end() ? std::nullopt : std::optional(found->out.label);
  };
  const auto is_not_in = [](const LabelledAxes& one, const LabelledAxes& other) {
    return [&](char label) { return !bare_axis(one, label) && !bare_axis(other, label); };
  };
  std::optional<char> label = find(labels.a, is_not_in(labels.b, labels.result));
  if (!label) label = find(labels.b, is_not_in(labels.a, labels.result));
  if (label) return fmt::format("label `{}` in one operand alone and not in the result", *label);
  label = find(labels.result, is_not_in(labels.a, labels.b));
  if (label) return fmt::format("label `{}` in the result, but in no operand", *label);
  return std::nullopt;
}

bool has_size(const ContractLabels& labels, char label) {
  return std::ranges::any_of(labels.sizes, [&](const LabelSize& said) { return said.label == label; });
}

/// A label of a window has its size from an axis, or it is said.
Problem unknown_size(const ContractLabels& labels) {
  const auto is_unknown = [&](char label) {
    return label != 0 && !is_bare(labels, label) && !has_size(labels, label);
  };
  for (const LabelledAxes* axes : lists_of(labels)) {
    for (const auto& [out, tap, offset] : *axes) {
      if (!is_unknown(out.label) && !is_unknown(tap.label)) continue;
      const char label = is_unknown(out.label) ? out.label : tap.label;
      return fmt::format("label `{}` in windows alone, expected its size as in `;{}=2`", label, label);
    }
  }
  return std::nullopt;
}

Problem bad_size(const ContractLabels& labels) {
  for (auto said = labels.sizes.begin(); said != labels.sizes.end(); ++said) {
    const char label = said->label;
    if (std::any_of(labels.sizes.begin(), said, [&](const LabelSize& other) { return other.label == label; }))
      return fmt::format("the size of label `{}` twice", label);
    if (is_bare(labels, label)) return fmt::format("the size of label `{}`, which an axis has", label);
    if (!is_in_window(labels, label))
      return fmt::format("the size of label `{}`, which no window has", label);
  }
  return std::nullopt;
}

Problem bad_guard(const ContractLabels& labels) {
  for (const LabelGuard& guard : labels.guards) {
    for (const char label : {guard.minuend, guard.subtrahend}) {
      if (!is_bare(labels, label) && !is_in_window(labels, label))
        return fmt::format("a guard on label `{}`, which no axis has", label);
    }
  }
  return std::nullopt;
}

/// Reads `text` into `labels`, without looking at what belongs together.
Problem read_labels(std::string_view text, ContractLabels& labels) {
  const std::size_t semicolon = text.find(';');
  const std::string_view lists = text.substr(0, semicolon);
  const std::size_t comma = lists.find(',');
  const std::size_t arrow = lists.find("->");
  if (comma == std::string_view::npos || arrow == std::string_view::npos || comma > arrow) {
    return fmt::format("labels `{}`, expected two operands and a result as in `bi,oi->bo`", text);
  }
  if (Problem problem = read_axes(lists.substr(0, comma), labels.a)) return problem;
  if (Problem problem = read_axes(lists.substr(comma + 1, arrow - comma - 1), labels.b)) return problem;
  if (Problem problem = read_axes(lists.substr(arrow + 2), labels.result)) return problem;
  for (std::size_t begin = semicolon; begin != std::string_view::npos;) {
    const std::size_t end = text.find_first_of(";,", begin + 1);
    const std::size_t size = end == std::string_view::npos ? end : end - begin - 1;
    if (Problem problem = read_clause(text.substr(begin + 1, size), labels)) return problem;
    begin = end;
  }
  return std::nullopt;
}

std::string term_text(const LabelTerm& term) {
  return term.factor == 1 ? std::string(1, term.label) : fmt::format("{}{}", term.factor, term.label);
}

std::string offset_text(std::int64_t offset) {
  return offset == 0 ? "" : fmt::format("{:+}", offset);
}

}  // namespace

std::optional<std::size_t> bare_axis(const LabelledAxes& axes, char label) {
  const auto found = std::ranges::find_if(
      axes, [&](const LabelledAxis& axis) { return !axis.is_window() && axis.out.label == label; });
  return found == axes.end() ? std::nullopt : std::optional(static_cast<std::size_t>(found - axes.begin()));
}

bool leaves_out(const ContractLabels& labels) {
  return !labels.guards.empty() || std::ranges::any_of(lists_of(labels), [](const LabelledAxes* axes) {
    return std::ranges::any_of(*axes, &LabelledAxis::is_window);
  });
}

ContractLabels with_lists(const ContractLabels& labels, LabelledAxes a, LabelledAxes b, LabelledAxes result) {
  return {std::move(a), std::move(b), std::move(result), labels.guards, labels.sizes};
}

std::variant<ContractLabels, std::string> parse_contract(std::string_view text) {
  ContractLabels labels;
  if (const Problem problem = read_labels(text, labels)) return *problem;
  for (const auto find : {lonely_label, bad_size, bad_guard, unknown_size}) {
    if (const Problem problem = find(labels)) return *problem;
  }
  return labels;
}

ContractLabels contract_labels(std::string_view text) {
  auto result = parse_contract(text);
  const std::string* reason = std::get_if<std::string>(&result);
  DLG_CHECK(reason == nullptr, reason != nullptr ? *reason : "");
  return std::get<ContractLabels>(std::move(result));
}

std::string contract_text(const ContractLabels& labels) {
  std::vector<std::string> clauses;
  for (const LabelGuard& guard : labels.guards)
    clauses.push_back(fmt::format("{}-{}{}", guard.minuend, guard.subtrahend, offset_text(guard.offset)));
  for (const LabelSize& said : labels.sizes) clauses.push_back(fmt::format("{}={}", said.label, said.size));
  const std::string_view semicolon = clauses.empty() ? "" : ";";
  return fmt::format("{},{}->{}{}{}", axes_text(labels.a), axes_text(labels.b), axes_text(labels.result),
                     semicolon, join_text(clauses, ","));
}

std::string axes_text(const LabelledAxes& axes) {
  std::string text;
  for (const LabelledAxis& axis : axes) {
    const std::string window =
        fmt::format("({}+{}{})", term_text(axis.out), term_text(axis.tap), offset_text(axis.offset));
    text += axis.is_window() ? window : std::string(1, axis.out.label);
  }
  return text;
}

}  // namespace dlg
