#include "runtime/class_labels.h"

#include <algorithm>
#include <cstring>
#include <map>

#include "support/text.h"

namespace dlg {
namespace {

/// What makes two labels the same class: the value if both are numbers, else the bytes.
std::string class_key(const std::string& label) {
  const std::optional<double> value = decimal(label);
  // Adding zero turns -0 into +0.
  return value ? number_text(*value + 0.0) : label;
}

}  // namespace

bool has_decimal_letters(std::string_view text) {
  return text.find_first_not_of("+-.0123456789eE") == std::string_view::npos;
}

std::optional<double> decimal(std::string_view text) {
  if (!has_decimal_letters(text) || text.starts_with("+-")) return std::nullopt;
  return parse_number(text);
}

std::vector<std::string> sorted_classes(const std::vector<std::string>& labels) {
  const bool is_numeric =
      std::all_of(labels.begin(), labels.end(), [](const std::string& label) { return decimal(label); });
  std::map<std::string, std::string> name_of_key;
  for (const std::string& label : labels) {
    const std::string key = is_numeric ? class_key(label) : label;
    const auto [at, is_new] = name_of_key.emplace(key, label);
    if (!is_new) at->second = std::min(at->second, label);
  }
  std::vector<std::string> names;
  for (const auto& [key, name] : name_of_key) names.push_back(name);
  std::sort(names.begin(), names.end());
  if (is_numeric) {
    std::sort(names.begin(), names.end(),
              [](const std::string& a, const std::string& b) { return *decimal(a) < *decimal(b); });
  }
  return names;
}

Numbered number_labels(const std::vector<std::string>& labels, const std::vector<std::string>& names) {
  const bool is_numeric =
      std::all_of(names.begin(), names.end(), [](const std::string& name) { return decimal(name); });
  std::map<std::string, std::int32_t> number_of;
  for (const std::string& name : names) {
    number_of.emplace(is_numeric ? class_key(name) : name, static_cast<std::int32_t>(number_of.size()));
  }
  Numbered result{dense_rows(StoredType::kI32, {}, static_cast<std::int64_t>(labels.size())), {}};
  char* to = result.numbers.bytes.data();
  for (std::size_t row = 0; row < labels.size(); ++row) {
    const auto found = number_of.find(is_numeric ? class_key(labels[row]) : labels[row]);
    if (found == number_of.end() && !result.unknown_row) result.unknown_row = static_cast<std::int64_t>(row);
    const std::int32_t number = found == number_of.end() ? 0 : found->second;
    std::memcpy(to, &number, sizeof number);
    to += sizeof number;
  }
  return result;
}

}  // namespace dlg
