// Owns programs in tests: text to session, data and both engines, in a folder of their own.
#pragma once

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <limits>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "driver/cli/session.h"
#include "driver/engine/laboratory.h"
#include "driver/main.h"
#include "support/render.h"
#include "tests/catch.h"
#include "tests/source_dir.h"

namespace dlg::testing {

/// A fresh folder that is removed at the end.
class TempFolder {
 public:
  TempFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "dlg-test-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~TempFolder() { std::filesystem::remove_all(path_); }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  std::string file(const std::string& name) const { return (path_ / name).string(); }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ / name, std::ios::binary) << text;
    return file(name);
  }

 private:
  std::filesystem::path path_;
};

/// An empty working folder while it lives.
class EmptyWorkingFolder {
 public:
  EmptyWorkingFolder() : before_(std::filesystem::current_path()) {
    std::filesystem::create_directory(folder_.file("work"));
    std::filesystem::current_path(folder_.file("work"));
  }
  ~EmptyWorkingFolder() { std::filesystem::current_path(before_); }
  EmptyWorkingFolder(const EmptyWorkingFolder&) = delete;
  EmptyWorkingFolder& operator=(const EmptyWorkingFolder&) = delete;

 private:
  TempFolder folder_;
  std::filesystem::path before_;
};

/// The number that `text` begins with, blanks before it left out; no locale changes what that is.
inline double leading_number(std::string_view text) {
  text.remove_prefix(std::min(text.size(), text.find_first_not_of(' ')));
  double value = std::numeric_limits<double>::quiet_NaN();
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

inline std::string read_text(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

/// A program text, checked and loaded; `errors` holds what was said.
class LoadedProgram {
 public:
  explicit LoadedProgram(const std::string& path, std::vector<Override> overrides = {})
      : session_{.streams = {in_, out_, err_}} {
    session_.file_options.file = path;
    session_.file_options.overrides = std::move(overrides);
    std::optional<CheckedProgram> program = load_program(session_);
    std::optional<LoadedData> data = program ? load_data(session_, *program) : std::nullopt;
    if (data) setup_ = make_setup(*std::move(program), *std::move(data));
  }

  bool is_ok() const { return setup_.has_value(); }
  std::string errors() { return render_all(session_.sources, session_.diagnostics, Color::kOff); }
  const TrainingSetup& setup() const { return *setup_; }
  const CheckedProgram& program() const { return setup_->program; }
  const LoadedData& data() const { return setup_->data; }
  Session& session() { return session_; }

  std::unique_ptr<Laboratory> compiled() {
    return compiled_laboratory(session_, *setup_, inspect(program()));
  }
  std::unique_ptr<Laboratory> reference() {
    return reference_laboratory(session_, *setup_, inspect(program()));
  }

 private:
  std::istringstream in_;
  std::ostringstream out_;
  std::ostringstream err_;
  Session session_;
  std::optional<TrainingSetup> setup_;
};

/// One call of dlg in-process.
struct Called {
  int exit_code = 0;
  std::string out;
  std::string err;
};

inline Called call_dlg(const std::vector<std::string>& arguments) {
  std::istringstream in;
  std::ostringstream out;
  std::ostringstream err;
  const int code = run_dlg(arguments, in, out, err);
  return {code, out.str(), err.str()};
}

inline Called call_dlg_opt(const std::vector<std::string>& arguments, const std::string& input) {
  std::istringstream in(input);
  std::ostringstream out;
  std::ostringstream err;
  const int code = run_dlg_opt(arguments, in, out, err);
  return {code, out.str(), err.str()};
}

/// Options of one call of dlg.
using Options = std::vector<std::string>;

/// A training that was stopped and goes on to the end, both as a setting `stop` has them: `7 steps`.
inline std::vector<Options> stopped_at(const std::string& first, const std::string& end) {
  return {{"--set", "stop=" + first}, {"--set", "stop=" + end, "--resume"}};
}

/// A file of the run that a program's trainings leave in a folder of their own, one for each of `calls`.
inline std::string trained_file(const std::string& text, const std::vector<Options>& calls,
                                const std::string& file = "weights.safetensors") {
  const EmptyWorkingFolder folder;
  std::ofstream("net.dlg") << text;
  for (const Options& options : calls) {
    std::vector<std::string> call{"train", "net.dlg"};
    call.insert(call.end(), options.begin(), options.end());
    const Called called = call_dlg(call);
    INFO(called.err);
    CHECK(called.exit_code == 0);
  }
  return read_text("runs/0001-net/" + file);
}

/// The path of a file of the source tree.
inline std::string source_path(const std::string& name) {
  return test::source_dir() + "/" + name;
}

/// The programs of a folder of the source tree, in the order of their names.
inline std::vector<std::string> stored_programs(const std::string& folder) {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(source_path(folder))) {
    if (entry.path().extension() == ".dlg") files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

/// Each of them says that all that it expects is so.
inline void check_all(const std::vector<std::string>& files) {
  for (const std::string& file : files) {
    const Called called = call_dlg({"check", file, "--no-cache"});
    INFO(file << called.err << called.out);
    CHECK(called.exit_code == 0);
  }
}

}  // namespace dlg::testing
