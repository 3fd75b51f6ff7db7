// Owns the numbers of one training step, each found by the name that `dlg step` shows it under.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "driver/engine/machine.h"
#include "driver/step/opened_step.h"

namespace dlg {

/// What is done before the step: a setting of the program, or one element of an initial parameter.
struct StepChange {
  std::optional<Override> setting = {};
  std::string state = {};   // empty: none
  std::size_t element = 0;  // of the state, row-major
  double value = 0;
};

/// What a step starts from can be chosen; everything else follows.
enum class StepRole : std::uint8_t { kSetting, kStart, kResult };

/// One number with its full name: `net.W1[0, 1]`.
struct StepNumber {
  std::string name;
  double value = 0;
  StepRole role = StepRole::kResult;
  std::string owner;        // the setting, state or value that it belongs to
  std::size_t element = 0;  // of the owner, row-major
};

/// Why a name finds nothing.
struct StepNameFault {
  std::string text;
  std::optional<std::string> suggestion;
};

/// Named values, `d` and the name: derivatives of the loss, states and `new` states, the loss and the `new`
/// one, hyper-parameters of the rule: `optimizer.lr`.
class StepNumbers {
 public:
  /// One step of `opened` from the states `start`, seen at its sample. nullopt after a message;
  /// `exit_code` says how the verb ends then.
  static std::optional<StepNumbers> of(Session& session, const OpenedStep& opened, const StateValues& start,
                                       int& exit_code);
  /// The same from the initial states, the program opened anew with the change.
  static std::optional<StepNumbers> after(Session& session, const StepOptions& options,
                                          const StepChange& change, int& exit_code);

  /// `net.h[0]`, `dW2[0, 0]`, `new W1[1, 0]`: the model's name may be left out where one value alone is
  /// meant. nullopt: `fault` says why.
  std::optional<StepNumber> find(std::string_view text, StepNameFault& fault) const;

 private:
  struct Entry {
    Shape shape;
    std::vector<double> values;
    StepRole role = StepRole::kResult;
    std::string owner = {};  // empty: the name itself
  };
  const std::pair<const std::string, Entry>* entry_of(const std::string& name, StepNameFault& fault) const;
  void add(const std::string& prefix, const std::string& path, Entry entry);
  void add_values(const Inspection& inspection, const Observations& before, std::int64_t sample);
  void add_states(const Graph& graph, const StateValues& start, const StateValues& end);

  std::map<std::string, Entry> entries_;
  std::map<std::string, std::vector<std::string>> short_names_;  // to full ones
};

}  // namespace dlg
