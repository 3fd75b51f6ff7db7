#include "driver/data/data.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "driver/data/data_path.h"
#include "frontend/blocks/data_formats.h"
#include "ir/ops/registry.h"
#include "runtime/npy.h"
#include "support/text.h"

namespace dlg {
namespace {

constexpr Diag<std::string, std::int64_t, std::int64_t> kBadRowCount{
    DiagCode::FieldRowCount, Severity::kError, "field `{}` has {} rows, the fields before it have {}"};

constexpr Diag<std::size_t> kOneArray{
    DiagCode::BadFieldSource, Severity::kError,
    "the prediction reads {} fields from npy files, expected one: the input is a single file"};

CsvFirstLine first_line(CsvHeader header) {
  return header == CsvHeader::kNone ? CsvFirstLine::kData : CsvFirstLine::kHeader;
}

/// What the graph's indices ask of the elements of input `path`.
std::vector<std::int64_t> limits_of(const Graph& graph, const std::string& path) {
  const Input* input = graph.find_input(path);
  return input == nullptr ? std::vector<std::int64_t>() : input->below;
}

bool is_weight_field(const Graph& graph, const std::string& path) {
  const Input* input = graph.find_input(path);
  return input != nullptr && input->is_weight;
}

bool reads_input(const Graph& graph, const std::string& path) {
  return std::any_of(graph.nodes.begin(), graph.nodes.end(),
                     [&](const Node& node) { return node.op == &ops::input && *leaf_path(node) == path; });
}

Scale scale_of(const FieldRecord& field) {
  return {field.scale_subtract, field.scale_divide, field.scale_multiply};
}

FieldRecord record_of(const Field& field) {
  FieldRecord record;
  record.name = field.name;
  record.column_numbers = field.source.column_numbers;
  for (const QuotedText& name : field.source.column_names) record.column_names.push_back(name.text);
  record.scale_subtract = field.source.scale_subtract;
  record.scale_divide = field.source.scale_divide;
  record.scale_multiply = field.source.scale_multiply;
  return record;
}

const FieldRecord* find_field(const std::vector<FieldRecord>& fields, const std::string& name) {
  const auto found = std::find_if(fields.begin(), fields.end(),
                                  [&](const FieldRecord& field) { return field.name == name; });
  return found == fields.end() ? nullptr : &*found;
}

const FieldRecord* find_field(const RunRecord* run, const std::string& name) {
  return run == nullptr ? nullptr : find_field(run->fields, name);
}

/// Where the rows come from, for messages; empty for numbers that name no file.
std::string origin_of(const std::vector<StoredRows>& parts) {
  std::vector<std::string> texts;
  for (const StoredRows& part : parts) {
    if (!part.origin.empty()) texts.push_back(part.origin);
  }
  return join_words(texts);
}

/// The values of one field from a table. `record` receives the class names unless it has them.
std::optional<StoredRows> read_field(const CsvTable& table, const Field& field, FieldRecord& record,
                                     Diagnostics& diagnostics) {
  const SourceRange range = field.source.range;
  ColumnChoice choice{record.column_numbers, record.column_names, range, {}};
  // The columns of a run may be others than those of the program.
  if (record_of(field).column_names == record.column_names) {
    for (const QuotedText& name : field.source.column_names) choice.name_ranges.push_back(name.range);
  }
  const std::optional<std::vector<std::int64_t>> columns = find_columns(table, choice, diagnostics);
  if (!columns) return std::nullopt;
  if (field.source.kind == FieldSource::Kind::kClass) {
    std::optional<ClassColumn> classes =
        record.class_names.empty()
            ? read_classes(table, columns->front(), range, diagnostics)
            : read_known_classes(table, columns->front(), record.class_names, range, diagnostics);
    if (!classes) return std::nullopt;
    record.class_names = classes->names;
    return std::move(classes->labels);
  }
  return read_numbers(table, *columns, range, diagnostics);
}

/// A loader fills a LoadedData step by step.
class Loader {
 public:
  Loader(Session& session, const Graph& graph, const RunRecord* run)
      : session_(session), graph_(graph), run_(run) {}

  /// Reads all fields of the table; rows are appended to those already there.
  bool add_table(const CsvTable& table, const std::vector<Field>& fields) {
    data_.header = table.column_names();
    data_.fields.resize(fields.size());
    for (std::size_t i = 0; i < fields.size(); ++i) {
      FieldRecord& record = data_.fields[i];
      if (record.name.empty()) record = record_of(fields[i]);
      const FieldRecord* known = find_field(run_, fields[i].name);
      const bool has_columns =
          known != nullptr && (!known->column_numbers.empty() || !known->column_names.empty());
      if (has_columns) record = *known;
      std::optional<StoredRows> rows = read_field(table, fields[i], record, session_.diagnostics);
      if (!rows) return false;
      stored_[fields[i].path].push_back(std::move(*rows));
    }
    data_.rows += table.rows();
    return true;
  }

  bool add_inline(const Field& field) {
    const std::int64_t row_elements = field.type.shape.elements(1);
    const auto rows = static_cast<std::int64_t>(field.source.values.size()) / row_elements;
    if (data_.rows != 0 && rows != data_.rows) {
      session_.diagnostics.report(field.range, kBadRowCount, field.name, rows, data_.rows);
      return false;
    }
    data_.rows = rows;
    stored_[field.path].push_back(rows_of(field.source.values, row_elements));
    data_.fields.push_back(record_of(field));
    return true;
  }

  /// Reads the rows of one field from its npy files.
  bool add_arrays(const Field& field, const std::vector<FileRequest>& requests) {
    std::vector<StoredRows>& arrays = stored_[field.path];
    std::int64_t rows = 0;
    for (const FileRequest& request : requests) {
      std::optional<StoredRows> array = read_npy(request, session_.diagnostics);
      if (!array) return false;
      rows += array->rows;
      arrays.push_back(std::move(*array));
    }
    if (!check_row_shape(arrays, field.source.file_shape, field.source.range, session_.diagnostics))
      return false;
    if (data_.rows != 0 && rows != data_.rows) {
      session_.diagnostics.report(field.range, kBadRowCount, field.name, rows, data_.rows)
          .note("its values come from " + origin_of(arrays));
      return false;
    }
    data_.rows = rows;
    const FieldRecord* known = find_field(run_, field.name);
    data_.fields.push_back(known != nullptr ? *known : record_of(field));
    return true;
  }

  /// Each field's numbers go from the types of their files to that of the input; what was read is kept only
  /// where that rounds.
  bool make_columns(const std::vector<Field>& fields) {
    for (const Field& field : fields) {
      std::vector<StoredRows> parts = std::move(stored_.at(field.path));
      const ColumnSpec spec{.name = field.path,
                            .type = field.type.dtype,
                            .row_elements = field.type.shape.elements(1),
                            .below = limits_of(graph_, field.path),
                            .range = field.source.range,
                            .origin = origin_of(parts),
                            .scale = scale_of(*find_field(data_.fields, field.name)),
                            .is_weight = is_weight_field(graph_, field.path)};
      std::optional<DataColumn> column = take_column(spec, parts);
      if (!column) column = make_column(spec, parts, session_.diagnostics);
      if (!column) return false;
      if (column->is_rounded) data_.originals[field.path] = {std::move(parts), spec.scale};
      data_.columns.push_back(std::move(*column));
    }
    return true;
  }

  LoadedData& data() { return data_; }

 private:
  Session& session_;
  const Graph& graph_;
  const RunRecord* run_;
  std::map<std::string, std::vector<StoredRows>> stored_;  // by input path
  LoadedData data_;
};

std::vector<std::int64_t> row_range(std::int64_t begin, std::int64_t end) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(end - begin));
  std::iota(rows.begin(), rows.end(), begin);
  return rows;
}

bool read_file_fields(Session& session, const Dataset& dataset, const DataPath& path, Loader& loader) {
  const std::optional<FileRequest> request = data_request(session, path);
  if (!request) return false;
  const std::optional<CsvTable> table = read_csv(*request, first_line(dataset.header), session.diagnostics);
  return table && loader.add_table(*table, dataset.fields);
}

bool read_fields(Session& session, const Dataset& dataset, Loader& loader) {
  if (dataset.file) {
    const DataPath path{*dataset.file, dataset.name + ".file", dataset.file_range};
    return read_file_fields(session, dataset, path, loader);
  }
  return std::all_of(dataset.fields.begin(), dataset.fields.end(), [&](const Field& field) {
    if (files_of(field.source.kind) == DataFiles::kNone) return loader.add_inline(field);
    std::vector<FileRequest> requests;
    for (const QuotedText& file : field.source.files) {
      const auto request = data_request(session, {file.text, field.path, file.range});
      if (!request) return false;
      requests.push_back(*request);
    }
    return loader.add_arrays(field, requests);
  });
}

/// The one file that holds the samples to predict.
struct FeatureFile {
  FileRequest request;
  CsvFirstLine first_line = CsvFirstLine::kHeader;
};

/// Data that stands in the program names no columns: its fields take those of a table from left to right.
std::vector<Field> with_columns(std::vector<Field> fields) {
  std::int64_t next = 0;
  for (Field& field : fields) {
    if (field.source.kind != FieldSource::Kind::kInline) continue;
    const std::int64_t count = field.type.shape.elements(1);
    field.source.kind = FieldSource::Kind::kColumns;
    for (std::int64_t i = 0; i < count; ++i) field.source.column_numbers.push_back(next++);
  }
  return fields;
}

bool read_features(Session& session, const FeatureFile& file, const std::vector<Field>& fields,
                   Loader& loader) {
  const bool has_arrays = std::any_of(fields.begin(), fields.end(), [](const Field& field) {
    return files_of(field.source.kind) == DataFiles::kArrays;
  });
  if (has_arrays && fields.size() > 1) {
    session.diagnostics.report(file.request.range, kOneArray, fields.size());
    return false;
  }
  if (has_arrays) return loader.add_arrays(fields.front(), {file.request});
  const std::optional<CsvTable> table = read_csv(file.request, file.first_line, session.diagnostics);
  return table && loader.add_table(*table, with_columns(fields));
}

/// The parts: `split` divides the rows of the main file; rows of a `test` file are the test part.
bool split_parts(Session& session, const Dataset& dataset, Loader& loader) {
  LoadedData& data = loader.data();
  const std::int64_t main_rows = data.rows;
  SplitShares shares;
  if (dataset.split) {
    const Split& split = *dataset.split;
    shares = {split.train, split.val, split.test, split.seed, split.range};
  }
  std::optional<SplitRows> parts = split_rows(main_rows, shares, session.diagnostics);
  if (!parts) return false;
  data.parts = std::move(*parts);
  if (!dataset.test_file) return true;
  const DataPath path{*dataset.test_file, dataset.name + ".test", dataset.file_range};
  if (!read_file_fields(session, dataset, path, loader)) return false;
  data.parts.test = row_range(main_rows, data.rows);
  return true;
}

}  // namespace

std::map<std::string, std::vector<double>> LoadedData::all_values() const {
  std::map<std::string, std::vector<double>> all;
  for (const auto& [path, original] : originals) {
    for (const StoredRows& part : original.parts) append_numbers(part, original.scale, all[path]);
  }
  for (const DataColumn& column : columns) {
    if (all.contains(column.name)) continue;
    std::vector<double>& numbers = all[column.name];
    const std::int64_t count = column.rows * column.row_elements;
    numbers.resize(static_cast<std::size_t>(count));
    for (std::int64_t i = 0; i < count; ++i) {
      numbers[static_cast<std::size_t>(i)] = load_element(column.data(), column.type, i);
    }
  }
  return all;
}

InputRows LoadedData::input_rows() const {
  InputRows by_path;
  for (const DataColumn& column : columns) by_path[column.name] = column.data();
  return by_path;
}

bool add_row_numbers(LoadedData& data, Diagnostics& diagnostics) {
  std::vector<StoredRows> numbers{dense_rows(StoredType::kI32, {}, data.rows)};
  std::vector<std::int32_t> all(static_cast<std::size_t>(data.rows));
  std::iota(all.begin(), all.end(), 0);
  std::memcpy(numbers[0].bytes.data(), all.data(), all.size() * sizeof all[0]);
  const ColumnSpec spec{.name = kRowInput, .type = DType::kI32, .below = {}, .range = {}};
  std::optional<DataColumn> column = make_column(spec, numbers, diagnostics);
  if (!column) return false;
  data.columns.push_back(std::move(*column));
  return true;
}

std::vector<Part> parts_of(const LoadedData& data) {
  if (data.rows == 0) return {{"", &data.parts.train}};
  std::vector<Part> parts{{"train", &data.parts.train}};
  if (!data.parts.val.empty()) parts.push_back({"val", &data.parts.val});
  if (!data.parts.test.empty()) parts.push_back({"test", &data.parts.test});
  return parts;
}

std::optional<LoadedData> load_data(Session& session, const CheckedProgram& program, const RunRecord* run) {
  Loader loader(session, program.graph, run);
  if (!program.data) return std::move(loader.data());
  const Dataset& dataset = *program.data;
  const bool is_loaded =
      read_fields(session, dataset, loader) && split_parts(session, dataset, loader) &&
      loader.make_columns(dataset.fields) &&
      (program.graph.find_input(kRowInput) == nullptr || add_row_numbers(loader.data(), session.diagnostics));
  session.clock.lap(std::string(kDataStage));
  if (!is_loaded) return std::nullopt;
  return std::move(loader.data());
}

std::optional<LoadedData> load_features(Session& session, const CheckedProgram& program, const Graph& graph,
                                        const RunRecord& run, const std::string& path) {
  std::vector<Field> fields;
  for (const Field& field : program.data->fields) {
    if (reads_input(graph, field.path)) fields.push_back(field);
  }
  Loader loader(session, graph, &run);
  const FileRequest request{path, path, {session.file, 0, 0}};
  if (!read_features(session, {request, first_line(program.data->header)}, fields, loader))
    return std::nullopt;
  if (!loader.make_columns(fields)) return std::nullopt;
  loader.data().parts.test = row_range(0, loader.data().rows);
  return std::move(loader.data());
}

}  // namespace dlg
