#include "frontend/blocks/data_block.h"

#include <fmt/format.h>

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
constexpr Diag<> kMixed{DiagCode::BadFieldSource, Severity::kError,
                        "a block reads its fields from one CSV file, or from npy files and lists, not both"};

constexpr Diag<> kTestAlone{DiagCode::MissingSetting, Severity::kError,
                            "`test` names a file of the same columns, but the block has no `file`"};

/// Rounding of shares like 0.7 + 0.15 + 0.15.
constexpr double kShareTolerance = 1e-9;
constexpr std::array<std::string_view, 3> kBlockSettings{"file", "test", "split"};

struct CsvText {
  std::string path;
  CsvHeader header = CsvHeader::kFirstLine;
};

std::optional<CsvHeader> csv_header(Elaboration& e, ast::ExprId id) {
  const std::string_view word = word_of(e, id);
  if (word == "none") return CsvHeader::kNone;
  if (word == "first") return CsvHeader::kFirstLine;
  report_bad_setting(e, id, "header", "`none` or `first`");
  return std::nullopt;
}

std::optional<CsvText> csv_text(Elaboration& e, ast::ExprId id, const std::string& key) {
  const ast::Expr& expr = e.expr(id);
  CsvText text;
  bool is_good = callee_of(e, id) == "csv" && expr.kind == ast::ExprKind::kCall;
  for (const ast::Argument& argument : expr.arguments) {
    if (argument.name && argument.name->text == "header") {
      const std::optional<CsvHeader> header = csv_header(e, argument.value);
      if (!header) return std::nullopt;
      text.header = *header;
      continue;
    }
    const ast::Expr& path = e.expr(argument.value);
    is_good = is_good && !argument.name && path.kind == ast::ExprKind::kString && text.path.empty();
    text.path = path.text;
  }
  if (is_good && !text.path.empty()) return text;
  report_bad_setting(e, id, key, "`csv(\"file.csv\")` or `csv(\"file.csv\", header = none)`");
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
  const std::optional<CsvText> text = csv_text(e, setting.value, setting.key.text);
  if (!text) return;
  if (setting.key.text == "test") {
    dataset.test_file = text->path;
    return;
  }
  dataset.file = text->path;
  dataset.header = text->header;
  dataset.file_range = e.expr(setting.value).range;
}

bool check_source(Elaboration& e, const ast::Setting& setting, const FieldText& text,
                  const DeclaredData& data) {
  const DataFiles files = files_of(text.source.kind);
  if (files != DataFiles::kTable && data.dataset.file) {
    e.error(setting.range, kMixed);
    return false;
  }
  if (files == DataFiles::kTable && !data.dataset.file) {
    e.error(setting.key.range, kNoFile, setting.key.text);
    return false;
  }
  if (!text.source.column_names.empty() && data.dataset.header == CsvHeader::kNone) {
    Report report = e.error(setting.range, kHeaderName, setting.key.text);
    e.label(report, data.dataset.file_range, "`header = none`");
    return false;
  }
  if (files == DataFiles::kNone && data.rows != 0 && text.rows != data.rows) {
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

bool is_block_setting(const ast::Name& key) {
  return std::find(kBlockSettings.begin(), kBlockSettings.end(), key.text) != kBlockSettings.end();
}

DeclaredData declare_block(Elaboration& e, const ast::SettingsBlock& block) {
  DeclaredData data;
  data.dataset.name = block.name.text;
  data.dataset.range = block.name.range;
  const std::vector<std::size_t> distinct = distinct_settings(e, block);
  for (const std::size_t i : distinct) {
    const ast::Setting& setting = block.settings[i];
    if (is_block_setting(setting.key)) set_block_setting(e, setting, data.dataset);
  }
  for (const std::size_t i : distinct) {
    const ast::Setting& setting = block.settings[i];
    if (!is_block_setting(setting.key)) declare_field(e, setting, data);
    if (setting.key.text == "test" && !data.dataset.file) e.error(setting.key.range, kTestAlone);
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
