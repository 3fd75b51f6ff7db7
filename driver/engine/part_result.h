// Owns what is known of a part of the data when it was measured.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/json.h"

namespace dlg {

/// A metric that is a table: its rows one after the other.
struct TableValue {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::vector<double> elements = {};
  std::vector<std::string> labels = {};  // of its rows and columns, where the data has names for them
};

/// Behind a title: the lines of the table below it, or how large it is and where it is in full.
std::string table_text(const TableValue& table, std::string_view in_full);

/// A list of rows.
Json table_json(const TableValue& table);

/// What an evaluator finds on one part: `loss`, `accuracy`, ... in the order of the program; the tables
/// beside them.
struct PartResult {
  std::string part;
  std::vector<std::pair<std::string, double>> values = {};
  std::vector<std::pair<std::string, TableValue>> tables = {};
};

}  // namespace dlg
