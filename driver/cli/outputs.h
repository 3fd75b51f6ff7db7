// Owns which files a call may write: none takes the place of an input or of another output, and its ending
// says what it holds.
#pragma once

#include <iosfwd>
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

/// ".png" of "a/B.PNG"; empty: the file has none.
std::string ending_of(const std::string& path);

/// Files that one call may write, each with the option that names it; without a name it is not written.
struct NamedOutput {
  std::string option;  // "--picture"
  std::string path;
  std::vector<std::string> endings;  // that it may have; empty: any
};
/// Whether all have one of their endings and no two name one file. Else a message, and the exit code is 2.
bool check_outputs(const std::vector<NamedOutput>& outputs, const std::string& help, std::ostream& err);

}  // namespace dlg
