#include "driver/cli/outputs.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <iostream>
#include <optional>
#include <utility>

#include "driver/cli/usage.h"
#include "runtime/file_pattern.h"
#include "support/text.h"

namespace dlg {
namespace {

namespace fs = std::filesystem;

constexpr Diag<std::string, std::string, std::string> kReplaced{DiagCode::OutputIsInput, Severity::kError,
                                                                "the output {} is an input: it is {} `{}`"};

/// Where the system keeps what this process writes to standard output.
constexpr std::string_view kStandardOutput = "/dev/stdout";

/// A file by whatever name: where it lies on its device, if it is there, and its path without links.
struct FileIdentity {
  std::optional<std::pair<dev_t, ino_t>> place;
  fs::path path;

  bool is_same(const FileIdentity& other) const {
    return (place && place == other.place) || (!path.empty() && path == other.path);
  }
};

FileIdentity identity_of(const std::string& path) {
  FileIdentity identity;
  struct stat info = {};
  const bool is_there = ::stat(path.c_str(), &info) == 0;
  // A terminal, a pipe or /dev/null may be both.
  if (is_there && !S_ISREG(info.st_mode)) return identity;
  if (is_there) identity.place = {info.st_dev, info.st_ino};
  std::error_code error;
  const fs::path resolved = fs::weakly_canonical(fs::absolute(path, error), error);
  if (!error) identity.path = resolved;
  return identity;
}

void add_data_file(std::vector<InputFile>& files, const Session& session, const std::string& written) {
  files.push_back({(fs::path(program_folder(session)) / written).string(), "the data file"});
}

void add_data_files(std::vector<InputFile>& files, const Session& session,
                    const std::optional<DataFile>& named) {
  if (!named) return;
  for (const QuotedText& path : named->paths) {
    if (named->kind == DataFile::Kind::kImages) {
      files.push_back({fs::path(program_folder(session)).string(), "a picture of the data", path.text});
    } else {
      add_data_file(files, session, path.text);
    }
  }
}

/// Whether a file that is there is one of those that a pattern names.
bool is_named(const FileIdentity& file, const InputFile& input) {
  if (input.pattern.empty() || !file.place) return false;
  std::error_code error;
  const fs::path folder =
      fs::weakly_canonical(fs::absolute(input.path.empty() ? "." : input.path, error), error);
  const fs::path pattern = (folder / input.pattern).lexically_normal();
  return fits_path(file.path.string(), pattern.string());
}

}  // namespace

std::vector<InputFile> files_of_program(const Session& session, const CheckedProgram& program) {
  std::vector<InputFile> files{{session.file_options.file, "the program"}};
  const fs::path folder = program_folder(session);
  for (const ImportedFile& import : session.imports) {
    files.push_back({(folder / import.path).string(), "the imported file"});
  }
  if (!program.data) return files;
  add_data_files(files, session, program.data->file);
  add_data_files(files, session, program.data->val_file);
  add_data_files(files, session, program.data->test_file);
  for (const Field& field : program.data->fields) {
    for (const QuotedText& file : field.source.files) add_data_file(files, session, file.text);
  }
  return files;
}

std::vector<InputFile> files_of_run(const RunFolder& folder) {
  std::vector<InputFile> files{{folder.model(), "the program of the run"}};
  for (const std::string& path : outputs_of_training(folder)) files.push_back({path, "a file of the run"});
  std::error_code error;
  for (fs::recursive_directory_iterator at(folder.file("imports"), error), end; !error && at != end;
       at.increment(error)) {
    files.push_back({at->path().string(), "a file of the run"});
  }
  return files;
}

std::vector<std::string> outputs_of_training(const RunFolder& folder) {
  std::vector<std::string> files{folder.record(), folder.log(), folder.optimizer(), folder.next_optimizer()};
  for (const WeightsChoice choice : {WeightsChoice::kLast, WeightsChoice::kBest, WeightsChoice::kAverage}) {
    files.push_back(folder.file(weights_file(choice)));
  }
  return files;
}

bool keeps_inputs(Session& session, std::vector<std::string> outputs, const std::vector<InputFile>& inputs) {
  if (&session.streams.out == &std::cout) outputs.emplace_back(kStandardOutput);
  std::vector<FileIdentity> read;
  for (const InputFile& input : inputs) read.push_back(identity_of(input.path));
  bool is_kept = true;
  for (const std::string& output : outputs) {
    const FileIdentity written = identity_of(output);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (!written.is_same(read[i]) && !is_named(written, inputs[i])) continue;
      const bool is_stream = output == kStandardOutput;
      session.diagnostics
          .report({}, kReplaced, is_stream ? "of the shell" : fmt::format("`{}`", output), inputs[i].what,
                  inputs[i].pattern.empty() ? inputs[i].path : inputs[i].pattern)
          .note(fmt::format("nothing was written; choose another file {}",
                            is_stream ? "behind `>>`" : "to write to"));
      is_kept = false;
      break;
    }
  }
  return is_kept;
}

std::string ending_of(const std::string& path) {
  std::string ending = fs::path(path).extension().string();
  for (char& c : ending) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return ending;
}

bool check_outputs(const std::vector<NamedOutput>& outputs, const std::string& help, std::ostream& err) {
  for (auto output = outputs.begin(); output != outputs.end(); ++output) {
    if (output->path.empty()) continue;
    const std::vector<std::string>& endings = output->endings;
    const std::string ending = ending_of(output->path);
    if (!endings.empty() && std::find(endings.begin(), endings.end(), ending) == endings.end()) {
      report_usage({"dlg",
                    fmt::format("`{}` is `{}`, expected a file that ends in {}", output->option, output->path,
                                join_words(endings, " or ")),
                    std::nullopt, help},
                   err);
      return false;
    }
    const auto same = std::find_if(outputs.begin(), output, [&](const NamedOutput& other) {
      return !other.path.empty() && identity_of(other.path).is_same(identity_of(output->path));
    });
    if (same == output) continue;
    report_usage({"dlg", fmt::format("`{}` and `{}` name the same file", same->option, output->option),
                  std::nullopt, help},
                 err);
    return false;
  }
  return true;
}

}  // namespace dlg
