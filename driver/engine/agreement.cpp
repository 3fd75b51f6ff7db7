#include "driver/engine/agreement.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "driver/engine/ulp.h"
#include "support/text.h"

namespace dlg {
namespace {

/// From here on so many digits are lost that it is said why: 12 bits.
constexpr double kFarApart = 4096;

/// Infinite where only one is finite, or a number.
double distance_of(double compiled, double reference) {
  if (compiled == reference || (std::isnan(compiled) && std::isnan(reference))) return 0;
  const double distance = std::abs(compiled - reference);
  return std::isfinite(distance) ? distance : std::numeric_limits<double>::infinity();
}

/// How far apart two numbers are in terms of what is allowed; at most 1 where rounding explains it. Where
/// that is infinite every answer is explained.
double excess(double compiled, double reference, double allowed) {
  const double distance = distance_of(compiled, reference);
  if (!std::isfinite(allowed) || distance == 0) return 0;
  return allowed == 0 ? std::numeric_limits<double>::infinity() : distance / allowed;
}

/// Builds the list, value by value.
class Comparison {
 public:
  Comparison(const Compared& both, DType dtype) : both_(both), dtype_(dtype) {}

  /// Nothing where an engine does not know the output.
  void add(const std::string& output, ComparedValue start) {
    const auto compiled = both_.compiled.find(output);
    const auto reference = both_.reference.find(output);
    if (compiled == both_.compiled.end() || reference == both_.reference.end()) return;
    start.worst_ulp = worst_ulp(compiled->second, reference->second, dtype_);
    std::pair<double, double> most{-1, -1};
    for (std::size_t i = 0; i < reference->second.size(); ++i) {
      const double allowed = allowed_at(output, i);
      const double ratio = excess(compiled->second[i], reference->second[i], allowed);
      const std::pair<double, double> found{ratio > 1 ? ratio : 0,
                                            distance_of(compiled->second[i], reference->second[i])};
      if (found <= most) continue;
      most = found;
      start.element = i;
      start.compiled = compiled->second[i];
      start.reference = reference->second[i];
      start.allowed = allowed;
    }
    start.is_explained = most.first <= 1;
    list_.push_back(std::move(start));
  }

  std::vector<ComparedValue> take() { return std::move(list_); }

 private:
  double allowed_at(const std::string& output, std::size_t element) const {
    if (!both_.bounds) return std::numeric_limits<double>::infinity();
    const double bound = both_.bounds->at(output)[element];
    return std::isnan(bound) ? std::numeric_limits<double>::infinity() : kBounds * bound;
  }

  const Compared& both_;
  DType dtype_;
  std::vector<ComparedValue> list_;
};

/// "[0, 1]"; nothing for a single number. With a batch the first index is the row.
std::string index_text(const Shape& shape, std::size_t element) {
  std::vector<std::string> words;
  auto rest = static_cast<std::int64_t>(element);
  for (std::size_t axis = shape.rank(); axis-- > 0;) {
    const std::int64_t extent = shape[axis];
    const bool is_row = extent == kBatch;
    words.push_back(std::to_string(is_row ? rest : rest % extent));
    rest = is_row ? 0 : rest / extent;
  }
  std::reverse(words.begin(), words.end());
  return words.empty() ? "" : "[" + join_text(words, ", ") + "]";
}

std::string remark(const ComparedValue& agreement) {
  if (!agreement.is_explained) return "  more than rounding explains";
  if (agreement.worst_ulp < kFarApart) return "";
  if (!std::isfinite(agreement.allowed)) return "  rounding may make anything of it";
  return fmt::format("  ill-conditioned: rounding may move it by {:.1e}", agreement.allowed);
}

SourceRange loss_range(const Graph& graph) {
  const std::optional<ValueId> loss = graph.find_output("loss");
  if (!loss || graph.infos[*loss].origins.empty()) return {};
  return graph.infos[*loss].origins.front();
}

}  // namespace

std::vector<ComparedValue> agreements(const CheckedProgram& program, const Inspection& inspection,
                                      const Compared& both) {
  Comparison comparison(both, program.dtype);
  for (const InspectedValue& value : inspection.values) {
    comparison.add("value." + value.name,
                   {.label = value.name, .range = value.range, .shape = value.type.shape});
    comparison.add(
        "grad." + value.name,
        {.label = "d " + value.name, .range = value.range, .is_forward = false, .shape = value.type.shape});
  }
  for (const State& state : trained_parameters(program.graph)) {
    comparison.add(
        "grad." + state.path,
        {.label = "d " + state.path, .range = state.origin, .is_forward = false, .shape = state.type.shape});
  }
  comparison.add("loss", {.label = "loss", .range = loss_range(program.graph), .shape = {}});
  return comparison.take();
}

std::string agreement_table(const std::vector<ComparedValue>& agreements, DType dtype,
                            const std::string& rows) {
  std::string text =
      fmt::format("compiled code against the f64 interpreter{}, worst ulp ({}):\n", rows, dtype_name(dtype));
  for (const ComparedValue& agreement : agreements) {
    text += fmt::format("  {:<24} {:.2f}{}\n", agreement.label, agreement.worst_ulp, remark(agreement));
  }
  return text;
}

const ComparedValue* first_unexplained(const std::vector<ComparedValue>& agreements) {
  const ComparedValue* derivative = nullptr;
  for (const ComparedValue& agreement : agreements) {
    if (agreement.is_explained) continue;
    if (agreement.is_forward) return &agreement;
    derivative = &agreement;
  }
  return derivative;
}

std::string unexplained_text(const ComparedValue& agreement, const Sources& sources) {
  const std::string place = agreement.range.is_valid() ? sources.line_reference(agreement.range) + ": " : "";
  return fmt::format(
      "dlg: internal error: compiled code and the f64 interpreter differ by more than rounding explains\n"
      "  {}`{}`{} is {} compiled and {} in the interpreter; rounding explains {:.2g}\n"
      "This is a bug of dlg, not of your program. Please report it with the program.\n",
      place, agreement.label, index_text(agreement.shape, agreement.element),
      rounded_text(agreement.compiled, 9), rounded_text(agreement.reference, 9), agreement.allowed);
}

}  // namespace dlg
