// Owns the folders of runs: `runs/NNNN-name/` with model.dlg, run.json, log.jsonl and the weights.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/diagnostic.h"

namespace dlg {

/// One run's folder; `path` is relative to the working folder if the root was.
struct RunFolder {
  std::string path;  // "runs/0007-mlp"
  std::int64_t number = 0;
  std::string name;

  std::string file(std::string_view name_in_folder) const { return path + "/" + std::string(name_in_folder); }
  std::string model() const { return file("model.dlg"); }
  std::string record() const { return file("run.json"); }
  std::string log() const { return file("log.jsonl"); }
  std::string weights() const { return file("weights.safetensors"); }
  std::string optimizer() const { return file("optimizer.safetensors"); }
  /// The optimizer's state while the weights that belong to it are being written.
  std::string next_optimizer() const { return file("optimizer.next.safetensors"); }
};

/// Keeps other processes from writing to the run as long as it lives; a process that dies loses it.
class RunLock {
 public:
  /// nullopt after an error: another process has it (exit 3).
  static std::optional<RunLock> take(const RunFolder& folder, Diagnostics& diagnostics);

  RunLock(RunLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;
  ~RunLock();

 private:
  explicit RunLock(int fd) : fd_(fd) {}
  int fd_ = -1;
};

/// Removes what writes that were cut short have left in the folder.
void remove_leftovers(const RunFolder& folder);

/// Makes the folder with the next free number; two runs at once get two numbers. `root` ("runs") is made if
/// it is missing. Errors: exit 3.
std::optional<RunFolder> create_run_folder(const std::string& root, std::string_view name,
                                           Diagnostics& diagnostics);

/// The run with the highest number that has weights; of the program `name`, if it is not empty.
std::optional<RunFolder> latest_run(const std::string& root, std::string_view name, Diagnostics& diagnostics);

/// `--run`: a number ("7", "0007"), a folder name ("0007-mlp"), a program's name (its latest run) or a path.
std::optional<RunFolder> find_run(const std::string& root, const std::string& wanted,
                                  Diagnostics& diagnostics);

/// How one data field was read, so that eval and predict read other files the same way.
struct FieldRecord {
  std::string name;  // `x`
  std::vector<std::int64_t> column_numbers;
  std::vector<std::string> column_names;
  std::vector<std::string> class_names;  // of a class field, in the order of their numbers
  double scale_subtract = 0;             // (raw - subtract) / divide * multiply
  double scale_divide = 1;
  double scale_multiply = 1;
  std::vector<std::int64_t> image_shape = {};  // of a field of images, as they lie in their file
};

/// run.json.
struct RunRecord {
  std::string program;  // file stem
  std::string model;
  std::string started;  // UTC, "2025-01-31T12:00:00Z"
  std::uint64_t seed = 1;
  std::vector<std::pair<std::string, std::string>> versions;   // llvm; target, a level as "avx2"
  std::vector<std::pair<std::string, std::string>> settings;   // resolved config
  std::vector<std::pair<std::string, std::string>> overrides;  // --set, as given
  std::string data_name;
  std::string data_file;            // as written in the program
  std::vector<std::string> header;  // all column names; empty: no header
  std::vector<FieldRecord> fields;
  std::vector<std::pair<std::string, double>> results;  // "steps", "test accuracy", ...
  double seconds = 0;                                   // of training, until the last save
  std::string ended;                                    // why the run ended; empty while it runs
};

bool write_run_record(const RunFolder& folder, const RunRecord& record, Diagnostics& diagnostics);
/// Errors: missing, damaged, of a newer format.
std::optional<RunRecord> read_run_record(const RunFolder& folder, Diagnostics& diagnostics);

/// Now, as RunRecord::started writes it.
std::string utc_time_text();

}  // namespace dlg
