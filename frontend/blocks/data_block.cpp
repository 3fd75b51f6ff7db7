#include "frontend/blocks/data_block.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "frontend/blocks/data_formats.h"
#include "frontend/blocks/field_source.h"
#include "frontend/elaborate/expressions.h"
#include "frontend/elaborate/settings.h"
#include "support/text.h"

namespace dlg {
namespace {

constexpr Diag<std::string> kNoFile{DiagCode::MissingSetting, Severity::kError,
                                    "the field `{}` reads columns, but the block has no `file`"};
constexpr Diag<std::string> kHeaderName{DiagCode::BadFieldSource, Severity::kError,
                                        "the field `{}` names columns by header, but the file has none"};
constexpr Diag<std::string, std::int64_t, std::int64_t> kRows{
    DiagCode::FieldRowCount, Severity::kError, "the field `{}` has {} samples, the fields before it have {}"};
constexpr Diag<std::string, std::string> kUnusedField{DiagCode::UnusedField, Severity::kError,
                                                      "the field `{}` of `{}` is never used"};
constexpr Diag<std::string, std::string> kTwoData{DiagCode::SeveralData, Severity::kError,
                                                  "the program uses two data blocks, `{}` and `{}`"};
constexpr Diag<std::string> kShareSum{DiagCode::BadSetting, Severity::kError,
                                      "the shares add up to {}, expected 1"};
constexpr Diag<std::string> kNoTrainShare{DiagCode::BadSetting, Severity::kError,
                                          "the share `train` is {}, expected more than 0"};
constexpr Diag<std::string> kShareName{DiagCode::UnknownArgument, Severity::kError,
                                       "`shares` has no argument `{}`"};
constexpr Diag<> kMixed{
    DiagCode::BadFieldSource, Severity::kError,
    "a block reads its fields from its `file`, or from npy files, npz files and lists, not both"};
constexpr Diag<std::string, std::string, std::string> kOtherFile{
    DiagCode::BadFieldSource, Severity::kError, "the field `{}` reads {}, but `file` of the block names {}"};
constexpr Diag<std::string> kNoImages{
    DiagCode::MissingSetting, Severity::kError,
    "the field `{}` reads images or labels, but the block has no `file` with images"};
constexpr Diag<std::string> kNoLabels{DiagCode::MissingSetting, Severity::kError,
                                      "the field `{}` reads labels, but `idx` names no file of labels"};
constexpr Diag<std::string> kPartAlone{DiagCode::MissingSetting, Severity::kError,
                                       "`{}` names a file of the same columns, but the block has no `file`"};
constexpr Diag<std::string, std::string> kPartKind{
    DiagCode::BadSetting, Severity::kError,
    "`{0}` is of another format than `file`, expected `{1}` as well: both hold the same fields"};
constexpr Diag<std::string> kPartTwice{
    DiagCode::BadSetting, Severity::kError,
    "the part `{0}` has a file of its own, so `shares` takes nothing for it from the rows of `file`"};

/// Rounding of shares like 0.7 + 0.15 + 0.15.
constexpr double kShareTolerance = 1e-9;
constexpr std::array<std::string_view, 4> kBlockSettings{"file", "val", "test", "split"};

/// What a block may call for a file.
struct FileCall {
  std::string_view callee;
  DataFile::Kind kind;
  std::size_t most_paths;
  std::string_view example;
};

constexpr FileCall kFileCalls[] = {
#define DLG_DATA_FILE(callee, kind, most_paths, signature, doc, example) \
  {#callee, DataFile::Kind::kind, most_paths, example},
#include "frontend/blocks/data_files.def"
#undef DLG_DATA_FILE
};

/// A part of the data that may have a file of its own.
struct PartFile {
  std::string_view name;
  std::optional<DataFile> Dataset::*file;
  double Split::*share;
};

constexpr std::array<PartFile, 2> kPartFiles{
    {{"val", &Dataset::val_file, &Split::val}, {"test", &Dataset::test_file, &Split::test}}};

std::optional<CsvHeader> csv_header(Elaboration& e, ast::ExprId id) {
  const std::string_view word = word_of(e, id);
  if (word == "none") return CsvHeader::kNone;
  if (word == "first") return CsvHeader::kFirstLine;
  report_bad_setting(e, id, "header", "`none` or `first`");
  return std::nullopt;
}

const FileCall* find_call(std::string_view callee) {
  const auto* found = std::find_if(std::begin(kFileCalls), std::end(kFileCalls),
                                   [&](const FileCall& call) { return call.callee == callee; });
  return found == std::end(kFileCalls) ? nullptr : found;
}

/// "`csv("points.csv")`" of "file = csv("points.csv")".
std::string call_text(const FileCall& call) {
  return fmt::format("`{}`", trim(call.example.substr(call.example.find('=') + 1)));
}

void report_bad_file(Elaboration& e, ast::ExprId id, const std::string& key) {
  std::vector<std::string> texts;
  for (const FileCall& call : kFileCalls) texts.push_back(call_text(call));
  report_bad_setting(e, id, key, join_words(texts, " or "));
}

/// Takes one argument of the call; false after an error.
bool add_argument(Elaboration& e, const ast::Argument& argument, const FileCall& call, DataFile& file) {
  if (call.kind == DataFile::Kind::kCsv && argument.name && argument.name->text == "header") {
    const std::optional<CsvHeader> header = csv_header(e, argument.value);
    file.header = header.value_or(CsvHeader::kFirstLine);
    return header.has_value();
  }
  const ast::Expr& path = e.expr(argument.value);
  const bool is_path = !argument.name && path.kind == ast::ExprKind::kString && !path.text.empty();
  if (is_path && file.paths.size() < call.most_paths) {
    file.paths.push_back({path.text, path.range});
    return true;
  }
  report_bad_setting(e, argument.value, std::string(call.callee), call_text(call));
  return false;
}

std::optional<DataFile> data_file(Elaboration& e, ast::ExprId id, const std::string& key) {
  const ast::Expr& expr = e.expr(id);
  const FileCall* call = expr.kind == ast::ExprKind::kCall ? find_call(callee_of(e, id)) : nullptr;
  if (call == nullptr) {
    report_bad_file(e, id, key);
    return std::nullopt;
  }
  DataFile file;
  file.kind = call->kind;
  file.range = expr.range;
  for (const ast::Argument& argument : expr.arguments) {
    if (!add_argument(e, argument, *call, file)) return std::nullopt;
  }
  if (!file.paths.empty()) return file;
  report_bad_setting(e, id, key, call_text(*call));
  return std::nullopt;
}

struct ShareRow {
  std::string_view name;
  double Split::*share;
};

constexpr std::array<ShareRow, 3> kShares{
    {{"train", &Split::train}, {"val", &Split::val}, {"test", &Split::test}}};

bool set_share(Elaboration& e, const ast::Argument& argument, Split& split) {
  const std::string name = argument.name ? argument.name->text : "";
  if (name == "seed") {
    const auto seed = whole_setting(e, argument.value, name, 0);
    split.seed = static_cast<std::uint64_t>(seed.value_or(1));
    return seed.has_value();
  }
  for (const ShareRow& row : kShares) {
    if (row.name != name) continue;
    const auto share = number_setting(e, argument.value, name);
    if (share && (*share < 0 || *share > 1)) report_bad_setting(e, argument.value, name, "0 to 1");
    split.*row.share = share.value_or(0);
    return share && *share >= 0 && *share <= 1;
  }
  const SourceRange range = argument.name ? argument.name->range : e.expr(argument.value).range;
  e.error(range, kShareName, name).note("it is `shares(train = 0.7, val = 0.15, test = 0.15, seed = 1)`");
  return false;
}

std::optional<Split> split_of(Elaboration& e, ast::ExprId id) {
  const ast::Expr& expr = e.expr(id);
  if (expr.kind != ast::ExprKind::kCall || callee_of(e, id) != "shares") {
    report_bad_setting(e, id, "split", "`shares(train = 0.7, val = 0.15, test = 0.15)`");
    return std::nullopt;
  }
  Split split{0, 0, 0, 1, expr.range};
  for (const ast::Argument& argument : expr.arguments) {
    if (!set_share(e, argument, split)) return std::nullopt;
  }
  const double sum = split.train + split.val + split.test;
  if (std::abs(sum - 1) > kShareTolerance) {
    e.error(expr.range, kShareSum, number_text(sum));
    return std::nullopt;
  }
  if (split.train > 0) return split;
  e.error(expr.range, kNoTrainShare, number_text(split.train))
      .note("`test = csv(\"test.csv\")` in the block names a file whose rows are all for the test");
  return std::nullopt;
}

void set_block_setting(Elaboration& e, const ast::Setting& setting, Dataset& dataset) {
  if (setting.key.text == "split") {
    dataset.split = split_of(e, setting.value);
    return;
  }
  std::optional<DataFile> Dataset::*place = &Dataset::file;
  for (const PartFile& part : kPartFiles) {
    if (setting.key.text == part.name) place = part.file;
  }
  // One with an error has no paths, and nothing more is said of it.
  dataset.*place = data_file(e, setting.value, setting.key.text).value_or(DataFile{});
}

bool is_bad(const std::optional<DataFile>& file) {
  return file && file->paths.empty();
}

std::string_view name_of(DataFile::Kind kind) {
  return std::find_if(std::begin(kFileCalls), std::end(kFileCalls),
                      [&](const FileCall& call) { return call.kind == kind; })
      ->callee;
}

/// Whether a part with a file of its own has the format of `file`, and no share of its rows.
void check_part_file(Elaboration& e, const ast::Setting& setting, const Dataset& dataset) {
  for (const PartFile& part : kPartFiles) {
    if (setting.key.text != part.name) continue;
    if (!dataset.file) {
      e.error(setting.key.range, kPartAlone, setting.key.text);
      continue;
    }
    const std::optional<DataFile>& file = dataset.*part.file;
    if (is_bad(dataset.file) || is_bad(file)) continue;
    if (file && file->kind != dataset.file->kind) {
      Report report =
          e.error(file->range, kPartKind, setting.key.text, std::string(name_of(dataset.file->kind)));
      e.label(report, dataset.file->range, "`file`");
    }
    if (dataset.split && *dataset.split.*part.share > 0) {
      Report report = e.error(dataset.split->range, kPartTwice, setting.key.text);
      e.label(report, setting.key.range, "its file");
    }
  }
}

/// Whether the block has the files that a field of this kind reads.
bool check_files(Elaboration& e, const ast::Setting& setting, const FieldSource& source,
                 const std::optional<DataFile>& file) {
  if (is_bad(file)) return false;
  const DataFiles files = files_of(source.kind);
  const bool reads_file = files == DataFiles::kTable || files == DataFiles::kImages;
  if (!file && reads_file) {
    e.error(setting.key.range, files == DataFiles::kTable ? kNoFile : kNoImages, setting.key.text);
    return false;
  }
  if (!file || files_of(file->kind) == files) return true;
  if (!reads_file) {
    e.error(setting.range, kMixed);
    return false;
  }
  const bool is_table = files == DataFiles::kTable;
  Report report = e.error(setting.range, kOtherFile, setting.key.text,
                          is_table ? "columns" : "images or labels", is_table ? "images" : "a CSV file");
  e.label(report, file->range, "`file`");
  return false;
}

bool check_source(Elaboration& e, const ast::Setting& setting, const FieldText& text,
                  const DeclaredData& data) {
  const std::optional<DataFile>& file = data.dataset.file;
  if (!check_files(e, setting, text.source, file)) return false;
  const bool lacks_labels = text.source.kind == FieldSource::Kind::kLabel &&
                            file->kind == DataFile::Kind::kIdx && file->paths.size() == 1;
  if (lacks_labels) {
    Report report = e.error(setting.key.range, kNoLabels, setting.key.text);
    e.label(report, file->range, "write `idx(images, labels)`");
    return false;
  }
  if (!text.source.column_names.empty() && file->header == CsvHeader::kNone) {
    Report report = e.error(setting.range, kHeaderName, setting.key.text);
    e.label(report, file->range, "`header = none`");
    return false;
  }
  if (files_of(text.source.kind) == DataFiles::kNone && data.rows != 0 && text.rows != data.rows) {
    e.error(setting.key.range, kRows, setting.key.text, text.rows, data.rows);
    return false;
  }
  return true;
}

void declare_field(Elaboration& e, const ast::Setting& setting, DeclaredData& data) {
  DeclaredField declared;
  declared.field.name = setting.key.text;
  declared.field.path = data.dataset.name + "." + setting.key.text;
  declared.field.range = setting.key.range;
  std::optional<FieldText> text = field_text(e, setting.value);
  declared.is_bad = !text || !check_source(e, setting, *text, data);
  if (text) {
    if (text->rows != 0 && data.rows == 0) data.rows = text->rows;
    declared.field.source = std::move(text->source);
    declared.axes = std::move(text->axes);
    declared.is_open = text->is_open;
  }
  data.fields.push_back(std::move(declared));
}

DeclaredData declare_block(Elaboration& e, const ast::SettingsBlock& block) {
  DeclaredData data;
  data.dataset.name = block.name.text;
  data.dataset.range = block.name.range;
  const std::vector<std::size_t> distinct = distinct_settings(e, block);
  for (const std::size_t i : distinct) {
    const ast::Setting& setting = block.settings[i];
    if (is_data_setting(setting.key.text)) set_block_setting(e, setting, data.dataset);
  }
  for (const std::size_t i : distinct) {
    const ast::Setting& setting = block.settings[i];
    if (!is_data_setting(setting.key.text)) declare_field(e, setting, data);
    check_part_file(e, setting, data.dataset);
  }
  return data;
}

void report_unused(Elaboration& e, const DeclaredData& data, const DeclaredField& field) {
  Report report = e.error(field.field.range, kUnusedField, field.field.name, data.dataset.name);
  const std::vector<std::string> settings(kBlockSettings.begin(), kBlockSettings.end());
  if (const auto near = nearest_name(field.field.name, settings)) {
    report.suggest(field.field.range, *near, fmt::format("did you mean the setting `{}`?", *near));
  } else {
    report.note(fmt::format("use it as `{}` or delete it", field.field.path));
  }
}

}  // namespace

bool is_data_setting(std::string_view key) {
  return std::find(kBlockSettings.begin(), kBlockSettings.end(), key) != kBlockSettings.end();
}

void declare_data(Elaboration& e) {
  for (const ast::SettingsBlock& block : e.unit().data) e.data.push_back(declare_block(e, block));
}

std::optional<Dataset> finish_data(Elaboration& e) {
  std::optional<Dataset> used;
  for (DeclaredData& data : e.data) {
    for (DeclaredField& field : data.fields) {
      // A race may leave to the training what it does not need, and the other way round.
      if (!field.is_used && !field.is_bad && !e.unit().races.empty()) continue;
      const bool is_wanted = e.mode == ProgramMode::kTraining;
      if (!field.is_used && !field.is_bad && is_wanted) report_unused(e, data, field);
      field.field.type = {field.dtype.value_or(e.dtype), graph_shape(field.axes, Batching::kPerSample)};
      data.dataset.fields.push_back(field.field);
    }
    if (!data.is_used) continue;
    if (used) e.error(data.dataset.range, kTwoData, used->name, data.dataset.name);
    used = std::move(data.dataset);
  }
  return used;
}

}  // namespace dlg
