// Owns class labels: which texts are the same class, their order, their numbers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/rows.h"

namespace dlg {

/// Labels as class numbers from 0.
struct ClassColumn {
  std::vector<std::string> names;  // sorted: by value if all are numbers, else by bytes
  StoredRows labels;               // one class number per row, i32
};

/// Digits, signs, points and the letter of exponents alone: `nan`, `inf` and hexadecimal are not decimal
/// numbers.
bool has_decimal_letters(std::string_view text);

/// The number that a text of these letters is; nullopt: it is none.
std::optional<double> decimal(std::string_view text);

/// By value if all are numbers, else by bytes. Of several spellings of a number the first in byte order names
/// the class.
std::vector<std::string> sorted_classes(const std::vector<std::string>& labels);

/// Class numbers of the labels; the row of the first unknown one if there is one.
struct Numbered {
  StoredRows numbers;  // i32
  std::optional<std::int64_t> unknown_row;
};

Numbered number_labels(const std::vector<std::string>& labels, const std::vector<std::string>& names);

}  // namespace dlg
