#include "driver/pictures/filters.h"

#include <fmt/format.h>

#include <algorithm>

#include "driver/engine/inspection.h"
#include "driver/pictures/names.h"

namespace dlg {
namespace {

constexpr Diag<> kNoFilters{DiagCode::NoImage, Severity::kError, "no weights of the program are images"};
constexpr Diag<std::string> kNoParameter{DiagCode::NoImage, Severity::kError, "{}"};
constexpr Diag<std::string, std::string> kNotImages{DiagCode::NoImage, Severity::kError,
                                                    "`{}` is {}, which is no image"};

bool is_convolution(const State& state) {
  return state.type.shape.rank() == 4;
}

bool reads_square(const State& state) {
  const Shape& shape = state.type.shape;
  if (shape.rank() != 2) return false;
  const std::size_t side = square_root_up(static_cast<std::size_t>(shape[1]));
  return side > 1 && side * side == static_cast<std::size_t>(shape[1]);
}

/// nullptr after an error.
const State* first_filters(Session& session, const std::vector<State>& parameters) {
  for (bool (*is_meant)(const State&) : {is_convolution, reads_square}) {
    const auto found = std::find_if(parameters.begin(), parameters.end(), is_meant);
    if (found != parameters.end()) return &*found;
  }
  session.diagnostics.report({session.file, 0, 0}, kNoFilters)
      .note(
          "images are weights `[units, chan, row, col]`, or `[units, n]` of a square number n; `--of` names "
          "others with two to four axes");
  return nullptr;
}

/// nullptr after an error.
const State* named_filters(Session& session, const std::vector<State>& parameters,
                           const std::string& wanted) {
  std::vector<std::string> paths;
  for (const State& state : parameters) paths.push_back(state.path);
  NoSuchName fault;
  NoSuchName ignored;
  std::optional<std::size_t> place = find_path(wanted, paths, "trained parameter", fault);
  if (!place) place = find_path(wanted + ".W", paths, "trained parameter", ignored);
  if (place) return &parameters[*place];
  Report report = session.diagnostics.report({session.file, 0, 0}, kNoParameter, fault.text);
  if (fault.suggestion) report.note(fmt::format("did you mean `{}`?", *fault.suggestion));
  return nullptr;
}

}  // namespace

std::optional<Filters> filters_of_run(const TrainedSetup& trained, const std::string& wanted) {
  Session& session = trained.session;
  const std::vector<State> parameters = trained_parameters(trained.setup.program.graph);
  const State* const state =
      wanted.empty() ? first_filters(session, parameters) : named_filters(session, parameters, wanted);
  if (state == nullptr) return std::nullopt;
  std::optional<ImageList> images = filters_of(state->type.shape);
  if (!images) {
    session.diagnostics.report(state->origin, kNotImages, state->path, shape_text(state->type.shape))
        .note("images have two to four axes");
    return std::nullopt;
  }
  Filters filters{state->path, *std::move(images), {}};
  const SavedTensor& tensor = *trained.weights.find(state->path);
  for (std::int64_t i = 0; i < tensor.values.elements(); ++i) filters.values.push_back(tensor.element(i));
  return filters;
}

}  // namespace dlg
