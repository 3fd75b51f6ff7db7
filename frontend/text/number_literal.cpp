#include "frontend/text/number_literal.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "frontend/text/characters.h"
#include "support/text.h"

namespace dlg {
namespace {

constexpr std::array<std::string_view, 14> kUnits = {"s",      "ms",      "min",   "h",      "epoch",
                                                     "epochs", "step",    "steps", "second", "seconds",
                                                     "minute", "minutes", "hour",  "hours"};

std::size_t digits_at(std::string_view text, std::size_t begin) {
  std::size_t end = begin;
  while (end < text.size() && is_digit(text[end])) ++end;
  return end - begin;
}

/// The length of the number at the start of `text`; 0 if there is none.
std::size_t strict_length(std::string_view text) {
  std::size_t end = digits_at(text, 0);
  if (end == 0) return 0;
  if (end < text.size() && text[end] == '.' && digits_at(text, end + 1) > 0)
    end += 1 + digits_at(text, end + 1);
  if (end >= text.size() || (text[end] != 'e' && text[end] != 'E')) return end;
  std::size_t exponent = end + 1;
  if (exponent < text.size() && (text[exponent] == '+' || text[exponent] == '-')) ++exponent;
  const std::size_t digits = digits_at(text, exponent);
  return digits == 0 ? end : exponent + digits;
}

bool is_number_text(std::string_view text) {
  return !text.empty() && strict_length(text) == text.size();
}

/// The end of what sticks to the number: letters, digits and points, but not the `..` of a range.
std::size_t blob_length(std::string_view text, std::size_t end) {
  while (end < text.size()) {
    const bool is_range = text.substr(end, 2) == "..";
    if (is_range || (!is_name_part(text[end]) && text[end] != '.')) return end;
    ++end;
  }
  return end;
}

bool begins_with(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

void explain_glued_name(std::string_view blob, NumberScan& scan) {
  const std::size_t digits = strict_length(blob);
  const std::string_view number = blob.substr(0, digits);
  const std::string_view word = blob.substr(digits);
  if (digits == 0 || !is_name_start(word.front()) || word.find('.') != std::string_view::npos) return;
  const bool is_unit = std::find(kUnits.begin(), kUnits.end(), word) != kUnits.end();
  scan.meant = fmt::format("{}{}{}", number, is_unit ? " " : " * ", word);
  scan.reason = is_unit ? "a blank stands between a number and its unit"
                        : "a product is written with `*`, a unit with a blank before it";
}

/// Fills `meant` and `reason` for a stretch that is no number.
void explain(std::string_view blob, NumberScan& scan) {
  std::string without_groups(blob);
  without_groups.erase(std::remove(without_groups.begin(), without_groups.end(), '_'), without_groups.end());
  scan.reason = "a number is written like `3`, `0.25` or `1e-4`";
  if (begins_with(blob, "0x") || begins_with(blob, "0X") || begins_with(blob, "0b")) {
    scan.reason = "numbers are decimal";
  } else if (is_number_text(without_groups)) {
    scan.meant = without_groups;
    scan.reason = "the digits of a number are not grouped";
  } else if (blob.front() == '.' && is_number_text(blob.substr(1))) {
    scan.meant = fmt::format("0{}", blob);
    scan.reason = "a digit stands before the point";
  } else if (blob.back() == '.' && is_number_text(blob.substr(0, blob.size() - 1))) {
    scan.meant = fmt::format("{}0", blob);
    scan.reason = "a digit stands after the point";
  } else {
    explain_glued_name(blob, scan);
  }
}

bool is_zero_text(std::string_view text) {
  const std::string_view mantissa = text.substr(0, text.find_first_of("eE"));
  return mantissa.find_first_of("123456789") == std::string_view::npos;
}

/// For a text whose double is out of range: beyond the large end, or below the small one? The decimal
/// exponent of its first digit that is not 0 decides.
bool is_beyond_large_end(std::string_view text) {
  const std::size_t e = text.find_first_of("eE");
  if (e != std::string_view::npos) return text[e + 1] != '-';
  return text.front() != '0';
}

bool is_integer_text(std::string_view text) {
  return digits_at(text, 0) == text.size();
}

}  // namespace

NumberScan scan_number(std::string_view text) {
  NumberScan scan;
  const std::size_t strict = strict_length(text);
  scan.length = blob_length(text, strict);
  scan.is_number = strict > 0 && scan.length == strict;
  if (!scan.is_number) explain(text.substr(0, scan.length), scan);
  return scan;
}

NumberFault number_fault(std::string_view text) {
  const std::optional<double> value = parse_number(text);
  if (!value) return is_beyond_large_end(text) ? NumberFault::kTooLarge : NumberFault::kTooSmall;
  if (*value == 0 && !is_zero_text(text)) return NumberFault::kTooSmall;
  constexpr double kExactIntegers = 9007199254740992.0;
  if (!is_integer_text(text) || *value < kExactIntegers) return NumberFault::kNone;
  const std::string_view digits = text.substr(std::min(text.find_first_not_of('0'), text.size()));
  return fmt::format("{:.0f}", *value) == digits ? NumberFault::kNone : NumberFault::kInexactInteger;
}

}  // namespace dlg
