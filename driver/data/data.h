// Owns the data of a program in memory: fields read, scaled, typed, and the rows of each part.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "driver/cli/session.h"
#include "driver/data/packing.h"
#include "runtime/columns.h"
#include "runtime/csv.h"
#include "runtime/random.h"
#include "runtime/run_folder.h"

namespace dlg {

/// What a column was made of.
struct Original {
  std::vector<StoredRows> parts;
  Scale scale;
};

/// All rows of the data set; empty for a program without data.
struct LoadedData {
  std::int64_t rows = 0;
  std::vector<DataColumn> columns;            // all inputs, in their dtypes or as bytes
  std::map<std::string, Original> originals;  // by input path: of columns whose numbers were rounded
  SplitRows parts;
  std::vector<FieldRecord> fields;
  std::vector<std::string> header;
  /// The picture that each row is; empty where rows have no files of their own.
  std::vector<std::string> row_files;

  InputRows input_rows() const;
  /// The graph that reads its inputs as they lie here.
  Graph as_stored(Graph graph) const;
  /// The values of all inputs, for the reference engine: not rounded. Row-major, by path.
  std::map<std::string, std::vector<double>> all_values() const;
};

/// A part of the data with its name: train, val, test.
struct Part {
  std::string name;
  const std::vector<std::int64_t>* rows = nullptr;
};
/// The parts that have rows, in the order train, val, test; one unnamed part for a program without data.
std::vector<Part> parts_of(const LoadedData& data);

/// The numbers of all rows, for what programs draw: the column kRowInput. Needs memory for one i32 a row.
bool add_row_numbers(LoadedData& data, Diagnostics& diagnostics);

/// Reads the program's data. Class names of `run`, if given, number the labels instead of the file's own.
std::optional<LoadedData> load_data(Session& session, const CheckedProgram& program,
                                    const RunRecord* run = nullptr);

/// Reads the fields that `program.graph` needs as inputs from another CSV, npy or npz file, or from a
/// picture, scaled as the run was.
std::optional<LoadedData> load_features(Session& session, const CheckedProgram& program, const Graph& graph,
                                        const RunRecord& run, const std::string& path);

}  // namespace dlg
