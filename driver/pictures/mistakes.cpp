#include "driver/pictures/mistakes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "driver/engine/programs.h"
#include "ir/graph/rewriter.h"
#include "support/text.h"

namespace dlg {
namespace {

constexpr Diag<std::string> kNoImage{DiagCode::NoImage, Severity::kError,
                                     "the prediction reads no image: {}"};

constexpr const char* kRowLoss = "row loss";
constexpr const char* kRowWeight = "row weight";
constexpr std::size_t kSide = 96;
constexpr std::size_t kMostLetters = 12;
constexpr Rgb kWrong{178, 24, 43};

/// The loss of a batch of one row, and its weight, if it has one.
Graph row_graph(const CheckedProgram& program) {
  const Graph& whole = program.evaluated();
  std::vector<Output> outputs{{kRowLoss, *whole.find_output("loss")}};
  if (const auto weight = whole.find_output(kWeightOutput)) outputs.push_back({kRowWeight, *weight});
  Graph graph = with_outputs(whole, std::move(outputs));
  graph.batch = 1;
  return graph;
}

/// A loss that is no number is worse than all others.
bool is_worse(const WorstRow& a, const WorstRow& b) {
  if (std::isnan(a.loss) || std::isnan(b.loss)) return std::isnan(a.loss) && !std::isnan(b.loss);
  return a.loss > b.loss;
}

/// The image that the prediction reads. nullptr after an error.
const Field* pictured_field(const TrainedSetup& trained) {
  const CheckedProgram& program = trained.setup.program;
  const std::vector<const Field*> fields = fields_of(program, *program.evaluated().find_output("predict"));
  std::vector<std::string> shapes;
  for (const Field* field : fields) {
    const Shape sample = sample_shape(*field);
    if (image_size(sample)) return field;
    shapes.push_back(fmt::format("`{}` is {}", field->path, shape_text(sample)));
  }
  Session& session = trained.session;
  session.diagnostics
      .report({session.file, 0, 0}, kNoImage, shapes.empty() ? "it reads no field" : join_words(shapes))
      .note(
          "images are `[row, col]`, `[chan, row, col]` with 1 or 3 channels, or a square number in one axis");
  return nullptr;
}

/// The picture that a row is; empty: it has no file of its own.
std::string file_of(const LoadedData& data, std::int64_t row) {
  return std::cmp_less(row, data.row_files.size()) ? data.row_files[static_cast<std::size_t>(row)] : "";
}

/// "cross as circle"; one name where they are the same.
std::string verdict(const Classification& rows, const WorstRow& row) {
  const auto name = [&](std::int64_t which) {
    return shown_words(rows.classes[static_cast<std::size_t>(which)], kMostLetters);
  };
  const std::int64_t truth = rows.truth[row.place];
  const std::int64_t taken = rows.taken[row.place];
  return truth == taken ? name(truth) : fmt::format("{} as {}", name(truth), name(taken));
}

std::vector<std::string> caption(const LoadedData& data, const Classification& rows, const WorstRow& row) {
  const std::int64_t number = (*rows.part.rows)[row.place];
  const std::string file = file_of(data, number);
  return {verdict(rows, row), fmt::format("loss {}", rounded_text(row.loss, 3)),
          file.empty() ? fmt::format("row {}", number)
                       : shown_words(file.substr(file.rfind('/') + 1), kMostLetters)};
}

}  // namespace

std::optional<std::vector<WorstRow>> worst_rows(const TrainedSetup& trained, const Part& part,
                                                std::size_t most) {
  const std::unique_ptr<Machine> machine =
      make_observer(trained.session, row_graph(trained.setup.program), trained.setup.data);
  if (!machine) return std::nullopt;
  machine->copy_states(views_of(trained.weights));
  const bool is_weighted = machine->graph().find_output(kRowWeight).has_value();
  std::vector<WorstRow> rows;
  for (std::size_t place = 0; place < part.rows->size(); ++place) {
    if (machine->run_rows({(*part.rows)[place]}) == kDlgIndexOutside) return std::nullopt;
    if (is_weighted && machine->output(kRowWeight, 1).front() == 0) continue;
    rows.push_back({place, machine->output(kRowLoss, 1).front()});
  }
  std::stable_sort(rows.begin(), rows.end(), is_worse);
  if (rows.size() > most) rows.resize(most);
  return rows;
}

std::optional<Sheet> mistakes_sheet(const TrainedSetup& trained, const Classification& rows,
                                    const std::vector<WorstRow>& worst) {
  const Field* const field = pictured_field(trained);
  if (field == nullptr) return std::nullopt;
  const ImageSize size = *image_size(sample_shape(*field));
  std::vector<std::vector<double>> images;
  std::vector<double> all;
  for (const WorstRow& row : worst) {
    images.push_back(row_of(trained.setup.data, *field, (*rows.part.rows)[row.place]));
    all.insert(all.end(), images.back().begin(), images.back().end());
  }
  const Shades shades = shades_of(all);
  Sheet sheet{.cells = {}, .across = square_root_up(worst.size()), .side = kSide};
  for (std::size_t i = 0; i < worst.size(); ++i) {
    const bool is_wrong = rows.truth[worst[i].place] != rows.taken[worst[i].place];
    sheet.cells.push_back({shaded_image(images[i], size, shades), caption(trained.setup.data, rows, worst[i]),
                           is_wrong ? kWrong : kBlack});
  }
  return sheet;
}

std::vector<std::string> mistaken_files(const TrainedSetup& trained, const Classification& rows,
                                        const std::vector<WorstRow>& worst) {
  std::vector<std::string> lines;
  for (const WorstRow& row : worst) {
    const std::string file = file_of(trained.setup.data, (*rows.part.rows)[row.place]);
    if (file.empty() || rows.truth[row.place] == rows.taken[row.place]) continue;
    lines.push_back(fmt::format("{}: {}", file, verdict(rows, row)));
  }
  return lines;
}

}  // namespace dlg
