#include "driver/step/step_against.h"

#include <fmt/ostream.h>

#include <algorithm>

#include "driver/data/tensor_text.h"
#include "driver/step/printed_values.h"
#include "driver/step/step_numbers.h"
#include "support/text.h"

namespace dlg {
namespace {

constexpr Diag<std::string, std::string> kUnknownNumber{DiagCode::BadPrintedSheet, Severity::kError,
                                                        "{}: {}"};

/// A printed value beside the computed one.
struct Pair {
  PrintedValue printed;
  StepNumber computed;

  Agreement agreement() const { return agreement_of(printed, computed.value); }
  bool is_result() const { return computed.role == StepRole::kResult; }
};

/// nullopt after a diagnostic.
std::optional<std::vector<Pair>> pairs_of(const std::vector<PrintedValue>& sheet, const StepNumbers& numbers,
                                          Diagnostics& diagnostics) {
  std::vector<Pair> pairs;
  for (const PrintedValue& printed : sheet) {
    StepNameFault fault;
    const std::optional<StepNumber> computed = numbers.find(printed.name, fault);
    if (computed) {
      pairs.push_back({printed, *computed});
      continue;
    }
    Report report = diagnostics.report({}, kUnknownNumber, printed.place, fault.text);
    if (fault.suggestion) report.note(fmt::format("did you mean `{}`?", *fault.suggestion));
  }
  if (diagnostics.has_errors()) return std::nullopt;
  return pairs;
}

std::int64_t agreeing_results(const std::vector<Pair>& pairs) {
  return std::count_if(pairs.begin(), pairs.end(), [](const Pair& pair) {
    return pair.is_result() && pair.agreement() != Agreement::kNone;
  });
}

StepChange change_to_printed(const Pair& input) {
  if (input.computed.role == StepRole::kSetting)
    return {Override{input.computed.owner, input.printed.text}, "", 0, 0};
  return {std::nullopt, input.computed.owner, input.computed.element, input.printed.value};
}

/// What the printed start value or setting does to the results: the hypothesis that the sheet is right and
/// the program wrong.
std::string hypothesis_text(Session& session, const StepOptions& options, const std::vector<Pair>& pairs,
                            const Pair& input) {
  int exit_code = kExitOk;
  const std::optional<StepNumbers> numbers =
      StepNumbers::after(session, options, change_to_printed(input), exit_code);
  if (!numbers) return fmt::format("with {} there is no step", input.printed.text);
  std::vector<Pair> others = pairs;
  for (Pair& pair : others) {
    StepNameFault fault;
    pair.computed = *numbers->find(pair.computed.name, fault);
  }
  const std::int64_t here = agreeing_results(pairs);
  const std::int64_t there = agreeing_results(others);
  if (there > here)
    return fmt::format(
        "with {} the step agrees with {} printed results instead of {}: the program may be wrong",
        input.printed.text, there, here);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const bool is_lost = pairs[i].is_result() && pairs[i].agreement() != Agreement::kNone &&
                         others[i].agreement() == Agreement::kNone;
    if (!is_lost) continue;
    return fmt::format("with {} {} is {}; the printed {} needs {}", input.printed.text,
                       others[i].computed.name, value_text(others[i].computed.value), others[i].printed.text,
                       number_text(input.computed.value));
  }
  return "no printed result tells which is right";
}

std::string remark_on(Session& session, const StepOptions& options, const std::vector<Pair>& pairs,
                      const Pair& pair) {
  switch (pair.agreement()) {
    case Agreement::kRounded:
      return "agrees";
    case Agreement::kCut:
      return "agrees, cut";
    case Agreement::kNone:
      break;
  }
  std::vector<std::string> reasons;
  if (const std::string slip = slip_text(pair.printed, pair.computed.value); !slip.empty())
    reasons.push_back(slip);
  if (!pair.is_result()) reasons.push_back(hypothesis_text(session, options, pairs, pair));
  return reasons.empty() ? "DIFFERS" : "DIFFERS: " + join_text(reasons, "; ");
}

std::size_t widest(const std::vector<Pair>& pairs, std::size_t (*width)(const Pair&)) {
  std::size_t widest = 0;
  for (const Pair& pair : pairs) widest = std::max(widest, width(pair));
  return widest;
}

std::string summary(const std::vector<Pair>& pairs) {
  const auto count = [&](Agreement agreement) {
    return std::count_if(pairs.begin(), pairs.end(),
                         [&](const Pair& pair) { return pair.agreement() == agreement; });
  };
  const auto cut = count(Agreement::kCut);
  std::string text =
      fmt::format("{}: {} agree", counted(static_cast<long long>(pairs.size()), "printed value"),
                  count(Agreement::kRounded) + cut);
  if (cut > 0) text += fmt::format(" ({} of them cut, not rounded)", cut);
  return text + fmt::format(", {} do not", count(Agreement::kNone));
}

}  // namespace

int step_against(Session& session, const StepOptions& options) {
  const std::optional<std::vector<PrintedValue>> sheet =
      read_printed_values({options.against, options.against, {}}, session.diagnostics);
  if (!sheet) return session.report();
  int exit_code = kExitOk;
  const std::optional<StepNumbers> numbers = StepNumbers::after(session, options, {}, exit_code);
  if (!numbers) return exit_code;
  const std::optional<std::vector<Pair>> pairs = pairs_of(*sheet, *numbers, session.diagnostics);
  if (!pairs) return session.report();
  std::ostream& out = session.streams.out;
  fmt::print(out, "step 1 of {} against {}\n", session.file_options.file, options.against);
  const std::size_t label = widest(*pairs, [](const Pair& pair) { return pair.printed.label.size(); });
  const std::size_t name = widest(*pairs, [](const Pair& pair) { return pair.computed.name.size(); });
  const std::size_t text = widest(*pairs, [](const Pair& pair) { return pair.printed.text.size(); });
  for (const Pair& pair : *pairs) {
    if (label > 0) fmt::print(out, "  {:<{}}", pair.printed.label, label);
    fmt::print(out, "  {:<{}}  printed {:<{}}  here {:<11}  {}\n", pair.computed.name, name,
               pair.printed.text, text, value_text(pair.computed.value),
               remark_on(session, options, *pairs, pair));
  }
  fmt::print(out, "{}\n", summary(*pairs));
  const bool is_good = std::all_of(pairs->begin(), pairs->end(),
                                   [](const Pair& pair) { return pair.agreement() != Agreement::kNone; });
  return is_good ? kExitOk : kExitExpectation;
}

}  // namespace dlg
