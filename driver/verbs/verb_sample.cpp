// Owns `dlg sample`: what a trained program draws, as CSV and as a picture.
#include <fmt/ostream.h>

#include <numeric>

#include "driver/cli/outputs.h"
#include "driver/engine/programs.h"
#include "driver/pictures/sheet.h"
#include "driver/training/trained.h"
#include "driver/verbs/rows_csv.h"
#include "driver/verbs/verbs.h"
#include "support/text.h"

namespace dlg {
namespace {

constexpr Diag<> kNoSample{DiagCode::NoPrediction, Severity::kError, "the program has no `sample`"};
constexpr Diag<std::string> kNoImage{DiagCode::NoImage, Severity::kError,
                                     "a sample is {}, which is no image"};

constexpr std::uint64_t kMostSamples = 1'000'000;

struct SampleOptions {
  std::uint64_t count = 1;
  std::string output;   // --out; empty: standard output
  std::string picture;  // --picture; empty: none
};

void add_options(CommandOptions& options, SampleOptions& wanted) {
  options.number({"--count,-n", "how many samples (default: 1)", "NUMBER"}, {1, kMostSamples},
                 [&](std::uint64_t count) { wanted.count = count; });
  options.text({"--out,-o", "CSV file to write, one line a sample (default: standard output)"},
               wanted.output);
  options.text(
      {"--picture", "PNG or SVG file to write: samples as images in a grid, 0 black, 1 white", "FILE"},
      wanted.picture);
}

/// The samples are rows without data.
std::optional<LoadedData> sample_rows(Session& session, std::uint64_t count) {
  LoadedData rows;
  rows.rows = static_cast<std::int64_t>(count);
  for (std::int64_t i = 0; i < rows.rows; ++i) rows.parts.test.push_back(i);
  if (!add_row_numbers(rows, session.diagnostics)) return std::nullopt;
  return rows;
}

/// The axes of one sample; nullopt after an error: the program has none.
std::optional<Shape> sample_shape(Session& session, const CheckedProgram& program) {
  const Graph& graph = program.evaluated();
  const std::optional<ValueId> sample = graph.find_output("sample");
  if (sample) {
    const std::vector<std::int64_t>& dims = graph.type(*sample).shape.dims();
    return Shape(std::vector<std::int64_t>(dims.begin() + 1, dims.end()));
  }
  session.diagnostics.report({session.file, 0, 0}, kNoSample)
      .note("write `sample = decoder(normal_like(spread(0, latent)))` in `train`");
  return std::nullopt;
}

/// Whether there is a picture of such samples, if one is wanted.
bool check_picture(Session& session, const SampleOptions& wanted, const Shape& sample) {
  if (wanted.picture.empty() || image_size(sample)) return true;
  session.diagnostics.report({session.file, 0, 0}, kNoImage, shape_text(sample))
      .note(
          "images are `[row, col]`, `[chan, row, col]` with 1 or 3 channels, or a square number in one axis");
  return false;
}

std::optional<OutputValues> draw_samples(Session& session, const TrainedProgram& trained,
                                         const LoadedData& rows) {
  const std::unique_ptr<Machine> sampler = make_sampler(session, trained.program, rows);
  if (!sampler) return std::nullopt;
  sampler->copy_states(views_of(trained.weights));
  EvaluatePlan plan;
  plan.rows = rows.parts.test;
  plan.batch = sampler->program().batch;
  plan.outputs = sampler->output_slots();
  std::vector<OutputValues> outputs = evaluate(sampler->step_program(), plan);
  if (outputs.empty()) return std::nullopt;
  return std::move(outputs.front());
}

/// The bytes of the picture.
std::string samples_picture(const std::string& path, const std::vector<double>& values,
                            const ImageSize& size) {
  ImageList images{.size = size, .count = values.size() / size.elements()};
  images.chosen.resize(images.count);
  std::iota(images.chosen.begin(), images.chosen.end(), std::size_t{0});
  images.across = square_root_up(images.count);
  const Sheet sheet = sheet_of(values, images, {.black = 0, .white = 1});
  return picture_bytes(sheet_drawing(sheet), picture_format(path));
}

void write_samples(Session& session, const SampleOptions& wanted, const OutputValues& samples,
                   const Shape& shape) {
  const std::string csv = plain_csv(samples, shape.elements());
  if (!wanted.picture.empty()) {
    const auto width = static_cast<std::size_t>(shape.elements());
    const std::string picture =
        samples_picture(wanted.picture, row_values(samples, width), *image_size(shape));
    if (!write_file({wanted.picture, "", {session.file, 0, 0}}, picture, session.diagnostics)) return;
  }
  if (!wanted.output.empty()) {
    write_file({wanted.output, "", {session.file, 0, 0}}, csv, session.diagnostics);
  } else if (wanted.picture.empty()) {
    session.streams.out << csv;
  }
}

}  // namespace

int verb_sample(Session& session, CommandLine& line) {
  SampleOptions wanted;
  RunOptions chosen;
  if (!line.read(session.file_options, wanted, session.engine_options, chosen)) return line.exit_code();
  if (!check_outputs({{"--out", wanted.output, {}}, {"--picture", wanted.picture, picture_endings()}},
                     "dlg sample --help", session.streams.err)) {
    return kExitUsage;
  }
  const std::optional<TrainedProgram> trained =
      load_trained(session, chosen, {"", {wanted.output, wanted.picture}});
  if (!trained) return session.report();
  const std::optional<Shape> shape = sample_shape(session, trained->program);
  if (!shape || !check_picture(session, wanted, *shape)) return session.report();
  const std::optional<LoadedData> rows = sample_rows(session, wanted.count);
  if (!rows) return session.report();
  if (const auto samples = draw_samples(session, *trained, *rows)) {
    write_samples(session, wanted, *samples, *shape);
  }
  return session.report();
}

}  // namespace dlg
