// Owns that no output takes the place of an input: every file that a call reads, against every file that it
// is about to write.
#pragma once

#include <string>
#include <vector>

#include "driver/cli/session.h"

namespace dlg {

/// A file that a call reads, or that nothing else may be written over.
struct InputFile {
  std::string path;
  std::string what;          // "the program", "a data file"
  std::string pattern = {};  // not empty: all files that fit, below the folder `path`
};

/// The program, what it imports and its data files.
std::vector<InputFile> files_of_program(const Session& session, const CheckedProgram& program);

/// What dlg has written into the folder of a run.
std::vector<InputFile> files_of_run(const RunFolder& folder);

/// The files that a training which goes on writes into its run.
std::vector<std::string> outputs_of_training(const RunFolder& folder);

/// Whether none of `outputs`, standard output among them, is one of `inputs`, by whatever name, link or way.
/// Else an error, and nothing may be written.
bool keeps_inputs(Session& session, std::vector<std::string> outputs, const std::vector<InputFile>& inputs);

}  // namespace dlg
