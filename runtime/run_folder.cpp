// Owns the numbering and the search of run folders.
#include "runtime/run_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>

#include "runtime/files.h"

namespace dlg {
namespace {

namespace fs = std::filesystem;

constexpr Diag<std::string, std::string> kNotMade{DiagCode::FolderNotMade, Severity::kError,
                                                  "the folder `{}` cannot be made: {}"};
constexpr Diag<std::string, std::string> kNoRun{DiagCode::RunNotFound, Severity::kError,
                                                "there is no run {} in `{}`"};
constexpr Diag<std::string> kNoRuns{DiagCode::RunNotFound, Severity::kError,
                                    "there is no finished run in `{}`: train first"};
constexpr Diag<std::string> kInUse{DiagCode::RunInUse, Severity::kError,
                                   "another process is training in the run `{}`"};
constexpr Diag<std::string> kNoWeights{DiagCode::RunIncomplete, Severity::kError,
                                       "the run `{}` has no weights: it was stopped before it saved them"};

/// "0007-mlp" or, while it is being claimed, "0007".
std::optional<RunFolder> parse_folder_name(const std::string& root, const std::string& text) {
  RunFolder folder;
  const char* end = text.data() + text.size();
  const auto number = std::from_chars(text.data(), end, folder.number);
  if (number.ec != std::errc() || folder.number < 0 || number.ptr - text.data() < 4) return std::nullopt;
  if (number.ptr != end && *number.ptr != '-') return std::nullopt;
  if (number.ptr != end) folder.name.assign(number.ptr + 1, end);
  folder.path = root + "/" + text;
  return folder;
}

/// All run folders, by number.
std::vector<RunFolder> list_runs(const std::string& root) {
  std::vector<RunFolder> runs;
  std::error_code error;
  for (fs::directory_iterator at(root, error), end; !error && at != end; at.increment(error)) {
    std::error_code ignored;
    const auto folder = parse_folder_name(root, at->path().filename().string());
    if (folder && at->is_directory(ignored)) runs.push_back(*folder);
  }
  std::sort(runs.begin(), runs.end(), [](const RunFolder& a, const RunFolder& b) {
    return std::pair(a.number, a.name) < std::pair(b.number, b.name);
  });
  return runs;
}

/// A name that is a harmless part of a path on every system.
std::string safe_name(std::string_view name) {
  std::string safe;
  for (const char c : name) {
    const bool is_word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    safe += is_word || c == '_' || c == '.' ? c : '-';
  }
  return safe.empty() ? "run" : safe.substr(0, 100);
}

bool has_named_folder(const std::string& root, std::int64_t number) {
  const std::vector<RunFolder> runs = list_runs(root);
  return std::any_of(runs.begin(), runs.end(),
                     [&](const RunFolder& run) { return run.number == number && !run.name.empty(); });
}

enum class Claim { kOurs, kTaken, kFailed };

/// Whoever makes the folder "0007" has claimed the number, unless a named folder shows that somebody claimed
/// it before and has already renamed.
Claim claim_number(const std::string& root, std::int64_t number, const std::string& bare) {
  if (::mkdir(bare.c_str(), 0755) != 0) return errno == EEXIST ? Claim::kTaken : Claim::kFailed;
  if (!has_named_folder(root, number)) return Claim::kOurs;
  ::rmdir(bare.c_str());
  return Claim::kTaken;
}

bool has_weights(const RunFolder& run) {
  std::error_code ignored;
  return fs::is_regular_file(run.weights(), ignored);
}

std::optional<RunFolder> latest_of(const std::vector<RunFolder>& runs, std::string_view name) {
  const auto fits = [&](const RunFolder& run) {
    return (name.empty() || run.name == name) && has_weights(run);
  };
  const auto found = std::find_if(runs.rbegin(), runs.rend(), fits);
  if (found == runs.rend()) return std::nullopt;
  return *found;
}

bool is_run_text(const RunFolder& run, const std::string& wanted) {
  std::int64_t number = -1;
  const char* end = wanted.data() + wanted.size();
  const auto read = std::from_chars(wanted.data(), end, number);
  const bool is_number = read.ec == std::errc() && read.ptr == end;
  return is_number ? run.number == number : fs::path(run.path).filename() == wanted;
}

std::optional<RunFolder> run_at_path(const std::string& wanted) {
  std::error_code ignored;
  if (!fs::is_directory(wanted, ignored)) return std::nullopt;
  fs::path path(wanted);
  if (path.filename().empty()) path = path.parent_path();
  const std::string parent = path.has_parent_path() ? path.parent_path().string() : ".";
  RunFolder folder = parse_folder_name(parent, path.filename().string()).value_or(RunFolder{});
  folder.path = path.string();
  return folder;
}

std::optional<RunFolder> with_weights(RunFolder run, Diagnostics& diagnostics) {
  if (has_weights(run)) return run;
  diagnostics.report({}, kNoWeights, run.path);
  return std::nullopt;
}

}  // namespace

std::optional<RunFolder> create_run_folder(const std::string& root, std::string_view name,
                                           Diagnostics& diagnostics) {
  const auto failed = [&](const std::string& path, const std::string& reason) {
    diagnostics.report({}, kNotMade, path, reason);
    return std::nullopt;
  };
  std::error_code error;
  fs::create_directories(root, error);
  if (error) return failed(root, error.message());
  const std::vector<RunFolder> runs = list_runs(root);
  RunFolder folder;
  folder.name = safe_name(name);
  for (folder.number = runs.empty() ? 1 : runs.back().number + 1;; ++folder.number) {
    const std::string bare = fmt::format("{}/{:04}", root, folder.number);
    const Claim claim = claim_number(root, folder.number, bare);
    if (claim == Claim::kTaken) continue;
    if (claim == Claim::kFailed) return failed(bare, std::strerror(errno));
    folder.path = fmt::format("{}-{}", bare, folder.name);
    if (::rename(bare.c_str(), folder.path.c_str()) != 0) return failed(folder.path, std::strerror(errno));
    return folder;
  }
}

std::optional<RunLock> RunLock::take(const RunFolder& folder, Diagnostics& diagnostics) {
  const int fd = ::open(folder.path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  // Some file systems have no locks on folders; that is no error.
  if (fd < 0 || ::flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) return RunLock(fd);
  ::close(fd);
  diagnostics.report({}, kInUse, folder.path);
  return std::nullopt;
}

RunLock::~RunLock() {
  if (fd_ >= 0) ::close(fd_);
}

void remove_leftovers(const RunFolder& folder) {
  std::vector<fs::path> left;
  std::error_code error;
  for (fs::directory_iterator at(folder.path, error), end; !error && at != end; at.increment(error)) {
    if (has_temporary_name(at->path())) left.push_back(at->path());
  }
  for (const fs::path& path : left) fs::remove(path, error);
}

std::optional<RunFolder> latest_run(const std::string& root, std::string_view name,
                                    Diagnostics& diagnostics) {
  const std::vector<RunFolder> runs = list_runs(root);
  if (auto run = latest_of(runs, name.empty() ? "" : safe_name(name))) return run;
  if (name.empty()) {
    diagnostics.report({}, kNoRuns, root);
  } else {
    diagnostics.report({}, kNoRun, fmt::format("of `{}` with weights", name), root);
  }
  return std::nullopt;
}

std::optional<RunFolder> find_run(const std::string& root, const std::string& wanted,
                                  Diagnostics& diagnostics) {
  const std::vector<RunFolder> runs = list_runs(root);
  const auto found =
      std::find_if(runs.begin(), runs.end(), [&](const RunFolder& run) { return is_run_text(run, wanted); });
  if (found != runs.end()) return with_weights(*found, diagnostics);
  if (auto run = latest_of(runs, wanted); run && !wanted.empty()) return run;
  if (auto run = run_at_path(wanted)) return with_weights(*run, diagnostics);
  std::vector<std::string> names;
  for (const RunFolder& run : runs) names.push_back(fs::path(run.path).filename().string());
  Report report = diagnostics.report({}, kNoRun, fmt::format("`{}`", wanted), root);
  if (const auto near = nearest_name(wanted, names)) report.note(fmt::format("did you mean `{}`?", *near));
  return std::nullopt;
}

}  // namespace dlg
