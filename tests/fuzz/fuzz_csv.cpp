// Owns the fuzz target of CSV: the table, its numbers and its labels.
#include <cstddef>
#include <cstdint>
#include <numeric>

#include "runtime/csv.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  for (const auto first_line : {dlg::CsvFirstLine::kHeader, dlg::CsvFirstLine::kData}) {
    dlg::Diagnostics diagnostics;
    const auto table = dlg::parse_csv({reinterpret_cast<const char*>(data), size}, {"rows.csv", "", {}},
                                      first_line, diagnostics);
    if (!table) continue;
    std::vector<std::int64_t> columns(static_cast<std::size_t>(table->columns()));
    std::iota(columns.begin(), columns.end(), 0);
    dlg::read_numbers(*table, columns, {}, diagnostics);
    dlg::read_classes(*table, 0, {}, diagnostics);
  }
  return 0;
}
