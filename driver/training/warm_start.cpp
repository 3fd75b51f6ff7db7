#include "driver/training/warm_start.h"

#include <algorithm>
#include <array>
#include <list>

#include "runtime/safetensors.h"
#include "support/text.h"

namespace dlg {
namespace {

constexpr Diag<std::string, std::string> kMissing{DiagCode::InitMissing, Severity::kError,
                                                  "`{}` has no entry for {}"};
constexpr Diag<std::string, std::string> kUnknown{DiagCode::InitUnknown, Severity::kError,
                                                  "the program has nothing for these entries of `{}`: {}"};
constexpr Diag<std::string, std::string> kOther{DiagCode::InitMismatch, Severity::kError,
                                                "entries of `{}` have another shape or type: {}"};
constexpr Diag<std::string, std::string> kTwice{DiagCode::InitAmbiguous, Severity::kError,
                                                "several entries of `{}` are for the same state: {}"};
constexpr Diag<std::string> kNothingMapped{DiagCode::InitMissing, Severity::kError,
                                           "`--init-map {}` fits no entry of the file"};
constexpr Diag<std::string, std::string, std::int64_t, std::string> kNotFinite{
    DiagCode::WeightsNotFinite, Severity::kError,
    "`{0}`: element {2} of `{1}` is {3}, expected a number that is finite in the program's type"};
constexpr Diag<std::string, std::string> kRounded{DiagCode::InitRounded, Severity::kWarning,
                                                  "entries of `{}` are F64 and were rounded to f32: {}"};

/// Longer lists end in "and 17 more".
constexpr std::size_t kMostListed = 24;

std::string listed(std::vector<std::string> words) {
  if (words.size() <= kMostListed) return join_words(words);
  const std::size_t left = words.size() - kMostListed;
  words.resize(kMostListed);
  return fmt::format("{} and {} more", join_text(words, ", "), left);
}

std::string type_text(DType type, const std::vector<std::int64_t>& shape) {
  return fmt::format("{} [{}]", type_name(type), fmt::join(shape, ", "));
}

bool is_training_state(const State& state) {
  return state.kind == StateKind::kOptimizer || state.kind == StateKind::kStep;
}

/// What fits an entry: a float takes any float, an integer its own type.
bool is_convertible(DType from, DType to) {
  return from == to || (is_float(from) && is_float(to));
}

/// The renamed entries of the file, matched with the states of the graph.
class WarmStart {
 public:
  WarmStart(Session& session, const InitOptions& init, const Graph& graph, const TensorFile& file)
      : session_(session), init_(init), graph_(graph), file_(file) {}

  bool match() {
    for (const SavedTensor& tensor : file_.tensors) {
      const std::optional<std::string> name = name_in_program(tensor.name);
      if (name && !entries_.emplace(*name, &tensor).second) {
        twice_.push_back(fmt::format("`{}` for `{}`", tensor.name, *name));
      }
    }
    const std::array<bool, 5> checks{report_list(kTwice, twice_), report_unused_maps(), check_unknown(),
                                     check_missing(), check_types()};
    return std::find(checks.begin(), checks.end(), false) == checks.end();
  }

  bool take(TrainingStates& states) const {
    std::vector<std::string> rounded;
    StateViews taken;
    std::list<std::vector<unsigned char>> converted;
    for (const State& state : graph_.states) {
      const auto found = entries_.find(state.path);
      if (found == entries_.end()) continue;
      const SavedTensor& tensor = *found->second;
      const auto values = values_of(tensor, state.type.dtype, converted.emplace_back());
      if (!values) return false;
      taken[state.path] = *values;
      if (tensor.values.type == DType::kF64 && state.type.dtype == DType::kF32) {
        rounded.push_back(fmt::format("`{}`", tensor.name));
      }
    }
    states.set(taken);
    if (!rounded.empty()) report(kRounded, rounded);
    return true;
  }

 private:
  using ListDiag = Diag<std::string, std::string>;

  Report report(const ListDiag& diag, const std::vector<std::string>& list) const {
    return session_.diagnostics.report({}, diag, init_.file, listed(list));
  }

  bool report_list(const ListDiag& diag, const std::vector<std::string>& list) const {
    if (!list.empty()) report(diag, list);
    return list.empty();
  }

  /// The path that an entry is for; nullopt: `--init-map` leaves it out.
  std::optional<std::string> name_in_program(const std::string& name) const {
    for (const InitMap& map : init_.maps) {
      if (name.starts_with(map.from)) return map.to + name.substr(map.from.size());
    }
    if (!init_.maps.empty()) return std::nullopt;
    return name;
  }

  bool report_unused_maps() const {
    bool is_good = true;
    for (const InitMap& map : init_.maps) {
      const bool is_used =
          std::any_of(file_.tensors.begin(), file_.tensors.end(),
                      [&](const SavedTensor& tensor) { return tensor.name.starts_with(map.from); });
      if (is_used) continue;
      session_.diagnostics.report({}, kNothingMapped, map.from + "=" + map.to).note(file_text());
      is_good = false;
    }
    return is_good;
  }

  bool check_unknown() const {
    std::vector<std::string> paths;
    for (const State& state : graph_.states) paths.push_back(state.path);
    std::vector<std::string> unknown;
    for (const auto& [name, tensor] : entries_) {
      if (graph_.find_state(name)) continue;
      const std::optional<std::string> near = nearest_name(name, paths);
      const bool is_free = near && !entries_.contains(*near);
      unknown.push_back(is_free ? fmt::format("`{}` (did you mean `{}`?)", name, *near)
                                : fmt::format("`{}`", name));
    }
    if (unknown.empty()) return true;
    Report told = report(kUnknown, unknown);
    told.note(program_text());
    if (init_.maps.empty()) {
      told.note("`--init-map FROM=TO` reads only the entries that begin with FROM, with TO in its place");
    }
    return false;
  }

  bool check_missing() const {
    const bool needs_all = std::any_of(graph_.states.begin(), graph_.states.end(), [&](const State& state) {
      return is_training_state(state) && entries_.contains(state.path);
    });
    std::vector<std::string> missing;
    bool has_parameter = false;
    for (const State& state : graph_.states) {
      const bool is_needed = state.kind == StateKind::kParameter || (needs_all && is_training_state(state));
      const bool is_there = entries_.contains(state.path);
      has_parameter = has_parameter || (is_there && state.kind == StateKind::kParameter);
      if (is_needed && !is_there) missing.push_back(state_text(state));
    }
    if (missing.empty()) return true;
    Report told = report(kMissing, missing);
    told.note(file_text());
    if (needs_all && has_parameter)
      told.note("state of the optimizer is taken only if all of it is in the file");
    if (needs_all && !has_parameter) {
      told.note("it holds the state of an optimizer; a run keeps its weights in `weights.safetensors`");
    }
    return false;
  }

  bool check_types() const {
    std::vector<std::string> wrong;
    for (const State& state : graph_.states) {
      const auto found = entries_.find(state.path);
      if (found == entries_.end()) continue;
      const SavedTensor& tensor = *found->second;
      const ArrayView& values = tensor.values;
      const bool fits = is_convertible(values.type, state.type.dtype);
      if (fits && values.shape == state.type.shape.dims()) continue;
      wrong.push_back(fmt::format("`{}` is {}, expected {}", tensor.name,
                                  type_text(values.type, values.shape), wanted_text(state)));
    }
    return report_list(kOther, wrong);
  }

  /// Where the values of an entry lie, in the type of the state; those that are converted lie in `converted`.
  /// nullopt if a number is not finite then.
  std::optional<ArrayView> values_of(const SavedTensor& tensor, DType type,
                                     std::vector<unsigned char>& converted) const {
    ArrayView values = tensor.values;
    if (values.type != type) {
      values = row_major(type, values.shape, nullptr);
      converted.resize(static_cast<std::size_t>(values.bytes()));
      for (std::int64_t i = 0; i < values.elements(); ++i) {
        store_element(converted.data(), type, i, tensor.element(i));
      }
      values.data = converted.data();
    }
    const std::optional<std::int64_t> bad = first_not_finite(values);
    if (!bad) return values;
    session_.diagnostics.report({}, kNotFinite, init_.file, tensor.name, *bad,
                                number_text(tensor.element(*bad)));
    return std::nullopt;
  }

  static std::string wanted_text(const State& state) {
    return type_text(state.type.dtype, state.type.shape.dims());
  }

  static std::string state_text(const State& state) {
    return fmt::format("`{}` {}", state.path, wanted_text(state));
  }

  std::string file_text() const {
    std::vector<std::string> all;
    for (const SavedTensor& tensor : file_.tensors) {
      all.push_back(fmt::format("`{}` {}", tensor.name, type_text(tensor.values.type, tensor.values.shape)));
    }
    return all.empty() ? "the file holds no entries" : "the file holds " + listed(all);
  }

  std::string program_text() const {
    std::vector<std::string> all;
    for (const State& state : graph_.states) {
      if (!is_training_state(state)) all.push_back(state_text(state));
    }
    return "the program has " + listed(all);
  }

  Session& session_;
  const InitOptions& init_;
  const Graph& graph_;
  const TensorFile& file_;
  std::map<std::string, const SavedTensor*> entries_;  // by path in the program
  std::vector<std::string> twice_;
};

}  // namespace

bool warm_start(Session& session, const InitOptions& init, const Graph& graph, TrainingStates& states) {
  if (init.file.empty()) return true;
  const std::optional<TensorFile> file =
      read_safetensors({init.file, "", {}}, ChecksumRule::kIfPresent, session.diagnostics);
  if (!file) return false;
  WarmStart start(session, init, graph, *file);
  return start.match() && start.take(states);
}

}  // namespace dlg
