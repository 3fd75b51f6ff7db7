#include "driver/verbs/eval_pictures.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "driver/cli/outputs.h"
#include "driver/cli/usage.h"
#include "driver/pictures/confusion.h"
#include "driver/pictures/filters.h"
#include "driver/pictures/mistakes.h"
#include "support/text.h"

namespace dlg {
namespace {

constexpr Diag<std::int64_t> kManyClasses{DiagCode::NoImage, Severity::kError,
                                          "{} classes are too many for a picture"};

constexpr std::uint64_t kMostMistakes = 1000;

bool looks_at_rows(const EvalPictures& wanted) {
  return wanted.confusion || !wanted.mistakes.empty();
}

/// The table as a picture, or as CSV. nullopt after an error.
std::optional<std::string> confusion_bytes(Session& session, const std::string& path, const TableValue& table,
                                           const std::string& part) {
  if (ending_of(path) == ".csv") return confusion_csv(table);
  if (table.rows <= static_cast<std::int64_t>(kMostClasses))
    return picture_bytes(confusion_drawing(table, part), picture_format(path));
  session.diagnostics.report({session.file, 0, 0}, kManyClasses, table.rows)
      .note("`--confusion confusion.csv` writes their table");
  return std::nullopt;
}

bool draw_confusion(const TrainedSetup& trained, const EvalPictures& wanted, const Classification& rows,
                    DrawnPictures& drawn) {
  TableValue table = confusion_of(rows);
  if (wanted.confusion->empty()) {
    drawn.table = std::move(table);
    return true;
  }
  std::optional<std::string> bytes =
      confusion_bytes(trained.session, *wanted.confusion, table, rows.part.name);
  if (!bytes) return false;
  drawn.files.push_back({*wanted.confusion, *std::move(bytes),
                         fmt::format("{} of {} in {}", counted(std::ssize(rows.truth), "row"), rows.part.name,
                                     table.rows == 1 ? "1 class" : fmt::format("{} classes", table.rows))});
  return true;
}

bool draw_mistakes(const TrainedSetup& trained, const EvalPictures& wanted, const Classification& rows,
                   DrawnPictures& drawn) {
  const auto worst = worst_rows(trained, rows.part, wanted.count);
  if (!worst) return false;
  const std::optional<Sheet> sheet = mistakes_sheet(trained, rows, *worst);
  if (!sheet) return false;
  const auto wrong = std::count_if(worst->begin(), worst->end(), [&](const WorstRow& row) {
    return rows.truth[row.place] != rows.taken[row.place];
  });
  drawn.files.push_back({wanted.mistakes,
                         picture_bytes(sheet_drawing(*sheet), picture_format(wanted.mistakes)),
                         fmt::format("the {} of {} with the largest loss, {} of them taken for another class",
                                     counted(std::ssize(*worst), "row"), rows.part.name, wrong),
                         mistaken_files(trained, rows, *worst)});
  return true;
}

bool draw_filters(const TrainedSetup& trained, const EvalPictures& wanted, DrawnPictures& drawn) {
  const std::optional<Filters> filters = filters_of_run(trained, wanted.of);
  if (!filters) return false;
  const Shades shades = signed_shades(filters->values);
  const Sheet sheet = sheet_of(filters->values, filters->images, shades);
  drawn.files.push_back({wanted.filters, picture_bytes(sheet_drawing(sheet), picture_format(wanted.filters)),
                         fmt::format("{} of {} x {}, {}; {}", counted_images(filters->images, "image"),
                                     filters->images.size.rows, filters->images.size.columns, filters->path,
                                     shades_text(shades))});
  return true;
}

bool draw_rows(const TrainedSetup& trained, const EvalPictures& wanted, DrawnPictures& drawn) {
  const std::optional<Part> part = chosen_part(trained, wanted.part);
  if (!part) return false;
  drawn.part = part->name;
  const std::optional<Classification> rows = classify(trained, *part);
  if (!rows) return false;
  if (wanted.confusion && !draw_confusion(trained, wanted, *rows, drawn)) return false;
  return wanted.mistakes.empty() || draw_mistakes(trained, wanted, *rows, drawn);
}

}  // namespace

void add_options(CommandOptions& options, EvalPictures& pictures) {
  options.text_or_alone({"--confusion",
                         "which class was taken for which: a PNG, SVG or CSV file to write; without a name a "
                         "table in the terminal",
                         "[FILE]"},
                        pictures.confusion);
  options.text({"--mistakes",
                "PNG or SVG file to write: the rows with the largest loss as images, with their class and "
                "the one that they were taken for",
                "FILE"},
               pictures.mistakes);
  options.text(
      {"--filters",
       "PNG or SVG file to write: the weights of the first convolution, else of the first layer that "
       "reads a square of numbers, as images; 0 is grey",
       "FILE"},
      pictures.filters);
  options.text({"--of", "the parameter or layer that `--filters` draws", "PATH"}, pictures.of);
  options.word({"--part", "of which part these rows are (default: the last one that the data has)"},
               {"train", "val", "test"}, [&](std::size_t place) {
                 pictures.part = std::array{"train", "val", "test"}[place];
               });
  options.number({"--count,-n", "how many rows `--mistakes` draws (default: 25)"}, {1, kMostMistakes},
                 [&](std::uint64_t count) { pictures.count = count; });
  options.needs("--of", "--filters");
  options.needs("--count", "--mistakes");
}

std::vector<std::string> outputs_of(const EvalPictures& wanted) {
  return {wanted.confusion.value_or(""), wanted.mistakes, wanted.filters};
}

bool check_pictures(const EvalPictures& wanted, std::ostream& err) {
  if (!wanted.part.empty() && !looks_at_rows(wanted)) {
    report_usage({"dlg", "--part requires --confusion or --mistakes", std::nullopt, "dlg eval --help"}, err);
    return false;
  }
  std::vector<std::string> tables = picture_endings();
  tables.emplace_back(".csv");
  return check_outputs({{"--confusion", wanted.confusion.value_or(""), tables},
                        {"--mistakes", wanted.mistakes, picture_endings()},
                        {"--filters", wanted.filters, picture_endings()}},
                       "dlg eval --help", err);
}

std::optional<DrawnPictures> draw_pictures(const TrainedSetup& trained, const EvalPictures& wanted) {
  DrawnPictures drawn;
  if (looks_at_rows(wanted) && !draw_rows(trained, wanted, drawn)) return std::nullopt;
  if (!wanted.filters.empty() && !draw_filters(trained, wanted, drawn)) return std::nullopt;
  return drawn;
}

bool write_pictures(Session& session, const DrawnPictures& drawn) {
  return std::all_of(drawn.files.begin(), drawn.files.end(), [&](const PictureFile& file) {
    return write_file({file.path, "", {session.file, 0, 0}}, file.bytes, session.diagnostics);
  });
}

std::string pictures_text(const DrawnPictures& drawn) {
  std::string text;
  if (drawn.table) {
    text += fmt::format("{} confusion{}", drawn.part,
                        table_text(*drawn.table, "with --json and in `--confusion FILE.csv`"));
  }
  for (const PictureFile& file : drawn.files) {
    text += fmt::format("wrote {}: {}\n", file.path, file.holds);
    for (const std::string& line : file.rows) text += fmt::format("  {}\n", line);
  }
  return text;
}

void add_pictures(Json& json, const DrawnPictures& drawn) {
  if (drawn.table) json.set(drawn.part + ".confusion", table_json(*drawn.table));
  if (drawn.files.empty()) return;
  std::vector<std::string> paths;
  for (const PictureFile& file : drawn.files) paths.push_back(file.path);
  json.set("wrote", Json::array_of(paths));
}

}  // namespace dlg
