// Owns whether a program is the one that a run was trained with, and where it begins to differ.
#pragma once

#include <optional>
#include <string>

#include "driver/cli/session.h"

namespace dlg {

/// The first difference.
struct ProgramDifference {
  std::string text;   // "line 13 was `  optimizer = adam(lr = 0.1)`"
  SourceRange range;  // of what stands there now; invalid: it is no line of a text
  std::string kept;   // the file of the run that holds what was there; empty: none
};

/// What a run is compared for: to be gone on with, or to be looked at with other data.
enum class ComparedFor : std::uint8_t { kTraining, kEvaluation };

/// Compares the texts of the program and of its imports, then the settings, with those of the run. Comments
/// and blanks are no difference, nor is `stop` on the command line, nor for an evaluation the name of a data
/// file there; a text that the run should hold and that cannot be read is one. nullopt: it is the same
/// program.
std::optional<ProgramDifference> program_difference(const Session& session, const CheckedProgram& program,
                                                    const RunFolder& folder, const RunRecord& record,
                                                    ComparedFor purpose);

/// Whether this setting says when a training ends.
bool is_stop_key(std::string_view key);

/// The value of a setting; null if it is not set.
const std::string* find_setting(const std::vector<std::pair<std::string, std::string>>& settings,
                                std::string_view key);

}  // namespace dlg
