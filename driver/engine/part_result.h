// Owns what is known of a part of the data when it was measured.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace dlg {

/// A metric that is a table: its rows one after the other.
struct TableValue {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::vector<double> elements = {};
};

/// What an evaluator finds on one part: `loss`, `accuracy`, ... in the order of the program; the tables beside
/// them.
struct PartResult {
  std::string part;
  std::vector<std::pair<std::string, double>> values = {};
  std::vector<std::pair<std::string, TableValue>> tables = {};
};

}  // namespace dlg
