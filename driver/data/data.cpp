#include "driver/data/data.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>

#include "driver/data/data_path.h"
#include "driver/data/image_files.h"
#include "frontend/blocks/data_formats.h"
#include "ir/ops/registry.h"
#include "runtime/images.h"
#include "runtime/npy.h"
#include "runtime/npz.h"
#include "support/text.h"

namespace dlg {
namespace {

constexpr Diag<std::string, std::int64_t, std::int64_t> kBadRowCount{
    DiagCode::FieldRowCount, Severity::kError, "field `{}` has {} rows, the fields before it have {}"};

constexpr Diag<std::size_t> kOneArray{
    DiagCode::BadFieldSource, Severity::kError,
    "the prediction reads {} fields from npy files, expected one: the input is a single file"};

constexpr Diag<std::string> kLabelWanted{
    DiagCode::BadFieldSource, Severity::kError,
    "the prediction reads the field `{}`, but a picture to predict has no label"};

constexpr Diag<std::string, std::string> kOtherImages{
    DiagCode::ImageSize, Severity::kError, "the images of {} differ in shape from those of the training, {}"};

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

/// The rows of one array of a field.
std::optional<StoredRows> read_array(const Field& field, const FileRequest& request,
                                     Diagnostics& diagnostics) {
  if (field.source.kind == FieldSource::Kind::kArray) return read_npy(request, diagnostics);
  return read_npz({request, field.source.array.text, field.source.array.range}, diagnostics);
}

/// Whether images fit their field, and those that were read before, of the same run or for it.
bool check_images(const StoredRows& images, const Field& field, const FieldRecord& record,
                  Diagnostics& diagnostics) {
  const SourceRange range = field.source.range;
  if (!check_image_shape(images, field.source.file_shape, range, diagnostics)) return false;
  if (record.image_shape.empty() || has_same_image_shape(images.row_shape, record.image_shape)) return true;
  diagnostics.report(range, kOtherImages, images.origin, shape_text(record.image_shape))
      .note("bring them to this shape first");
  return false;
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

  /// Reads the fields of one kind, kImage or kLabel, from the images of a block. `rows`: how many the fields
  /// before have, 0 without any.
  bool add_image_fields(const ImageFiles& files, const std::vector<Field>& fields, FieldSource::Kind kind,
                        std::int64_t& rows) {
    std::vector<std::size_t> readers;
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (fields[i].source.kind == kind) readers.push_back(i);
    }
    if (readers.empty()) return true;
    std::vector<std::string>& class_names = record_at(readers.front(), fields).class_names;
    std::optional<StoredRows> read = kind == FieldSource::Kind::kImage
                                         ? read_images(files, session_.diagnostics)
                                         : read_labels(files, class_names, session_.diagnostics);
    if (!read) return false;
    return std::all_of(readers.begin(), readers.end(), [&](std::size_t i) {
      record_at(i, fields).class_names = class_names;
      return take_rows(i == readers.back() ? std::move(*read) : *read, i, fields, rows);
    });
  }

  /// Reads all fields of the images; rows are appended to those already there.
  bool add_images(const ImageFiles& files, const std::vector<Field>& fields) {
    std::int64_t rows = 0;
    if (!add_image_fields(files, fields, FieldSource::Kind::kImage, rows) ||
        !add_image_fields(files, fields, FieldSource::Kind::kLabel, rows))
      return false;
    if (files.file.kind == DataFile::Kind::kImages) {
      data_.row_files.resize(static_cast<std::size_t>(data_.rows));
      for (const FileRequest& request : files.requests) data_.row_files.push_back(request.name());
    }
    data_.rows += rows;
    return true;
  }

  /// Takes images to predict, which all fields read.
  bool add_sample_images(const StoredRows& images, const std::vector<Field>& fields) {
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (!take_rows(images, i, fields, data_.rows)) return false;
    }
    return true;
  }

  /// Reads the rows of one field from its npy files.
  bool add_arrays(const Field& field, const std::vector<FileRequest>& requests) {
    std::vector<StoredRows>& arrays = stored_[field.path];
    std::int64_t rows = 0;
    for (const FileRequest& request : requests) {
      std::optional<StoredRows> array = read_array(field, request, session_.diagnostics);
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
      if (!column) column = take_bytes(spec, parts);
      if (!column) column = make_column(spec, parts, session_.diagnostics);
      if (!column) return false;
      if (column->is_rounded) data_.originals[field.path] = {std::move(parts), spec.scale};
      data_.columns.push_back(std::move(*column));
    }
    return true;
  }

  LoadedData& data() { return data_; }

 private:
  /// How field `i` is read: as in the run, if there is one.
  FieldRecord& record_at(std::size_t i, const std::vector<Field>& fields) {
    data_.fields.resize(fields.size());
    FieldRecord& record = data_.fields[i];
    if (!record.name.empty()) return record;
    const FieldRecord* known = find_field(run_, fields[i].name);
    record = known != nullptr ? *known : record_of(fields[i]);
    return record;
  }

  /// Rows of images or labels for field `i`.
  bool take_rows(StoredRows read, std::size_t i, const std::vector<Field>& fields, std::int64_t& rows) {
    const Field& field = fields[i];
    FieldRecord& record = record_at(i, fields);
    if (field.source.kind == FieldSource::Kind::kImage) {
      if (!check_images(read, field, record, session_.diagnostics)) return false;
      if (record.image_shape.empty()) record.image_shape = read.row_shape;
    }
    if (rows != 0 && read.rows != rows) {
      session_.diagnostics.report(field.range, kBadRowCount, field.name, read.rows, rows)
          .note("its values come from " + origin_of({read}));
      return false;
    }
    rows = read.rows;
    stored_[field.path].push_back(std::move(read));
    return true;
  }

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

/// Reads what `file`, `val` or `test` of the block names.
bool read_data_file(Session& session, const Dataset& dataset, const DataFile& file,
                    const std::string& setting, Loader& loader) {
  const std::string key = dataset.name + "." + setting;
  if (file.kind != DataFile::Kind::kCsv) {
    const std::optional<ImageFiles> files = find_image_files(session, file, key);
    return files && loader.add_images(*files, dataset.fields);
  }
  const QuotedText& path = file.paths.front();
  const std::optional<FileRequest> request = data_request(session, {path.text, key, file.range});
  if (!request) return false;
  // Files of the parts are tables of the same form.
  const std::optional<CsvTable> table =
      read_csv(*request, first_line(dataset.file->header), session.diagnostics);
  return table && loader.add_table(*table, dataset.fields);
}

bool read_fields(Session& session, const Dataset& dataset, Loader& loader) {
  if (dataset.file) return read_data_file(session, dataset, *dataset.file, "file", loader);
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

/// The picture takes the place of `image` in all fields.
bool read_sample(Session& session, const FileRequest& request, const std::vector<Field>& fields,
                 Loader& loader) {
  for (const Field& field : fields) {
    if (field.source.kind == FieldSource::Kind::kImage) continue;
    session.diagnostics.report(request.range, kLabelWanted, field.name);
    return false;
  }
  const std::optional<StoredRows> images = read_sample_images(request, session.diagnostics);
  return images && loader.add_sample_images(*images, fields);
}

/// An array of an archive may also come as a file of its own.
Field as_read(Field field, const FileRequest& request) {
  if (is_npy_file(request)) field.source.kind = FieldSource::Kind::kArray;
  return field;
}

bool reads(const std::vector<Field>& fields, DataFiles files) {
  return std::any_of(fields.begin(), fields.end(),
                     [&](const Field& field) { return files_of(field.source.kind) == files; });
}

bool read_features(Session& session, const FeatureFile& file, const std::vector<Field>& fields,
                   Loader& loader) {
  if (reads(fields, DataFiles::kImages)) return read_sample(session, file.request, fields, loader);
  const bool has_arrays = reads(fields, DataFiles::kArrays);
  if (has_arrays && fields.size() > 1) {
    session.diagnostics.report(file.request.range, kOneArray, fields.size());
    return false;
  }
  if (has_arrays) return loader.add_arrays(as_read(fields.front(), file.request), {file.request});
  const std::optional<CsvTable> table = read_csv(file.request, file.first_line, session.diagnostics);
  return table && loader.add_table(*table, with_columns(fields));
}

/// A part of the data whose rows may come from a file of its own.
struct PartOfFile {
  const char* setting;
  std::optional<DataFile> Dataset::*file;
  std::vector<std::int64_t> SplitRows::*rows;
};

constexpr std::array<PartOfFile, 2> kPartFiles{
    {{"val", &Dataset::val_file, &SplitRows::val}, {"test", &Dataset::test_file, &SplitRows::test}}};

/// Reads the file of a part, if it has one: its rows are behind those of the others.
bool read_part(Session& session, const Dataset& dataset, const PartOfFile& part, Loader& loader) {
  const std::optional<DataFile>& file = dataset.*part.file;
  if (!file) return true;
  LoadedData& data = loader.data();
  const std::int64_t before = data.rows;
  if (!read_data_file(session, dataset, *file, part.setting, loader)) return false;
  data.parts.*part.rows = row_range(before, data.rows);
  return true;
}

/// The parts: `split` divides the rows of the main file; rows of `val` and `test` files are these parts.
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
  return std::all_of(kPartFiles.begin(), kPartFiles.end(),
                     [&](const PartOfFile& part) { return read_part(session, dataset, part, loader); });
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
      numbers[static_cast<std::size_t>(i)] = column.number(i);
    }
  }
  return all;
}

Graph LoadedData::as_stored(Graph graph) const {
  for (Input& input : graph.inputs) {
    const auto column = std::find_if(columns.begin(), columns.end(),
                                     [&](const DataColumn& known) { return known.name == input.path; });
    if (column == columns.end() || column->type == input.type.dtype) continue;
    const Scale& scale = column->scale;
    input.stored = {column->type, scale.subtract, scale.divide, scale.multiply};
  }
  return graph;
}

InputRows LoadedData::input_rows() const {
  InputRows by_path;
  for (const DataColumn& column : columns) by_path[column.name] = {column.type, column.data()};
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
  // The command line names it: no line of the program is to blame.
  const FileRequest request{path, path, {}};
  const std::optional<DataFile>& file = program.data->file;
  const CsvFirstLine first = first_line(file ? file->header : CsvHeader::kFirstLine);
  if (!read_features(session, {request, first}, fields, loader)) return std::nullopt;
  if (!loader.make_columns(fields)) return std::nullopt;
  loader.data().parts.test = row_range(0, loader.data().rows);
  return std::move(loader.data());
}

}  // namespace dlg
