// Owns the golden files: each holds commands, the files they read, and all they say.
//
//   # SHOWS: one kernel holds all ...   for the reader: what is to be seen, and where
//   # RUN: dlg check net.dlg          commands, run in this order in one empty folder
//   # RUN: sh truncate -s 9 net.dlg   what is done to files between them; it says nothing and succeeds
//   # COPY: examples/backprop/net.dlg a file of the source tree, copied there
//   # ---- FILE net.dlg               a file written there; the text before the first mark is `input.dlg`
//   # ---- BYTES net.dlg              the same in hexadecimal
//   # ---- REPEAT net.dlg 1000        the same text so many times
//   # ---- OUT dlg check net.dlg      what the command says: standard output, standard error, exit code
//
// DLG_BLESS=1 rewrites what is expected. The folder comes from DLG_GOLDEN_FOLDER.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

#include "driver/main.h"
#include "tests/catch.h"
#include "tests/source_dir.h"

namespace dlg {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kShows = "# SHOWS: ";
constexpr std::string_view kRun = "# RUN: ";
constexpr std::string_view kShell = "sh ";
constexpr std::string_view kCopy = "# COPY: ";
constexpr std::string_view kMark = "# ---- ";
constexpr std::string_view kOut = "# ---- OUT";
constexpr std::string_view kDefaultFile = "input.dlg";

/// A file to write before the commands run.
struct Input {
  std::string kind = "FILE";  // FILE, BYTES or REPEAT
  std::string name = std::string(kDefaultFile);
  int count = 1;
  std::string text;
};

struct Golden {
  std::vector<std::string> commands;
  std::vector<std::string> copies;
  std::vector<Input> files;
  std::string input;     // everything before the expected part, kept byte for byte
  std::string expected;  // from the first OUT mark to the end
};

std::string read_all(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  REQUIRE(stream);
  return {std::istreambuf_iterator<char>(stream), {}};
}

Input parse_mark(const std::string& mark) {
  Input input;
  std::istringstream words(mark);
  words >> input.kind >> input.name;
  if (input.kind == "REPEAT") words >> input.count;
  REQUIRE((words && (input.kind == "FILE" || input.kind == "BYTES" || input.kind == "REPEAT")));
  return input;
}

Golden parse_golden(const std::string& text) {
  Golden golden;
  const std::size_t out = text.rfind(kOut, 0) == 0 ? 0 : text.find(fmt::format("\n{}", kOut));
  const std::size_t split = out == std::string::npos ? text.size() : out + (out == 0 ? 0 : 1);
  golden.input = text.substr(0, split);
  golden.expected = text.substr(split);
  std::istringstream lines(golden.input);
  golden.files.emplace_back();
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(kRun)) {
      golden.commands.push_back(line.substr(kRun.size()));
    } else if (line.starts_with(kCopy)) {
      golden.copies.push_back(line.substr(kCopy.size()));
    } else if (line.starts_with(kMark)) {
      golden.files.push_back(parse_mark(line.substr(kMark.size())));
    } else if (!line.starts_with(kShows)) {
      golden.files.back().text += line + "\n";
    }
  }
  return golden;
}

/// An empty folder that is the working folder as long as it lives.
class WorkFolder {
 public:
  WorkFolder() : before_(fs::current_path()) {
    std::string pattern = (fs::temp_directory_path() / "dlg-golden-XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
    fs::current_path(path_);
  }
  ~WorkFolder() {
    std::error_code ignored;
    fs::current_path(before_, ignored);
    fs::remove_all(path_, ignored);
  }
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;

  const fs::path& path() const { return path_; }

 private:
  fs::path before_;
  fs::path path_;
};

/// The words of a command; quotes keep blanks together.
std::vector<std::string> words_of(const std::string& command) {
  static const std::regex kWord("'([^']*)'|\"([^\"]*)\"|[^\\s'\"]+");
  std::vector<std::string> words;
  for (std::sregex_iterator it(command.begin(), command.end(), kWord), end; it != end; ++it) {
    const std::smatch& match = *it;
    words.push_back(match[1].matched ? match[1].str() : match[2].matched ? match[2].str() : match.str());
  }
  return words;
}

/// Takes out what differs between machines and runs: times, rates, versions, the temporary folder.
std::string normalised(std::string text, const fs::path& folder) {
  const std::string path = folder.string();
  for (std::size_t at = text.find(path); at != std::string::npos; at = text.find(path)) {
    text.replace(at, path.size(), "<folder>");
  }
  static const std::pair<std::regex, const char*> kVolatile[] = {
      {std::regex(R"(\b\d+(\.\d+)?k? (samples|steps)/s)"), "<rate>"},
      {std::regex(R"(\b\d+(\.\d+)? ?(ns|us|ms|s)\b)"), "<time>"},
      {std::regex(R"(LLVM \d+(\.\d+)*)"), "LLVM <version>"},
      {std::regex(R"(memory limit of \d+ bytes)"), "memory limit of <limit> bytes"},
  };
  for (const auto& [pattern, replacement] : kVolatile) text = std::regex_replace(text, pattern, replacement);
  return text;
}

void write_section(std::string& out, std::string_view mark, const std::string& text) {
  if (text.empty()) return;
  if (!mark.empty()) out += fmt::format("# ---- {}\n", mark);
  out += text;
  if (!text.ends_with('\n')) out += "\n";
}

/// Runs one command as `# ---- OUT command`, its output, `# ---- ERR`, its messages, `# ---- EXIT code`.
std::string run(const std::string& command, const fs::path& folder) {
  if (command.starts_with(kShell)) {
    CHECK(std::system(command.substr(kShell.size()).c_str()) == 0);
    return "";
  }
  std::vector<std::string> words = words_of(command);
  REQUIRE_FALSE(words.empty());
  const std::string program = words.front();
  words.erase(words.begin());
  std::istringstream in;
  if (const auto less = std::find(words.begin(), words.end(), "<"); less != words.end()) {
    REQUIRE(less + 1 != words.end());
    in.str(read_all(*(less + 1)));
    words.erase(less, less + 2);
  }
  std::ostringstream out;
  std::ostringstream err;
  const int code = program == "dlg-opt" ? run_dlg_opt(words, in, out, err) : run_dlg(words, in, out, err);
  std::string text = fmt::format("{} {}\n", kOut, command);
  write_section(text, "", normalised(out.str(), folder));
  write_section(text, "ERR", normalised(err.str(), folder));
  return text + fmt::format("# ---- EXIT {}\n", code);
}

std::string bytes_of(const Input& input) {
  std::string bytes;
  if (input.kind == "BYTES") {
    std::istringstream words(input.text);
    for (unsigned byte = 0; words >> std::hex >> byte;) bytes.push_back(static_cast<char>(byte));
    return bytes;
  }
  for (int i = 0; i < input.count; ++i) bytes += input.text;
  return bytes;
}

void write_file(const fs::path& path, const std::string& text) {
  if (path.has_parent_path()) fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

std::string actual_of(const Golden& golden) {
  const WorkFolder folder;
  for (const std::string& copy : golden.copies) {
    const fs::path source = fs::path(test::source_dir()) / copy;
    fs::copy(source, folder.path() / source.filename(), fs::copy_options::recursive);
  }
  for (const Input& file : golden.files) {
    // The first is the text before any mark: it may not be there at all. Others may be empty on purpose.
    const bool is_there = !file.text.empty() || &file != &golden.files.front();
    if (is_there) write_file(folder.path() / file.name, bytes_of(file));
  }
  std::string actual;
  for (const std::string& command : golden.commands) actual += run(command, folder.path());
  return actual;
}

/// The first line that differs, with a few lines before it.
std::string difference(const std::string& expected, const std::string& actual) {
  std::istringstream left(expected);
  std::istringstream right(actual);
  std::string context;
  std::string a;
  std::string b;
  for (int line = 1;; ++line) {
    const bool has_a = static_cast<bool>(std::getline(left, a));
    const bool has_b = static_cast<bool>(std::getline(right, b));
    if (!has_a && !has_b) return "";
    if (has_a != has_b || a != b) {
      return fmt::format("{}line {} of the expected part\n  expected: {}\n  actual:   {}\n", context, line,
                         has_a ? a : "(end)", has_b ? b : "(end)");
    }
    context = fmt::format("  {}\n", a);
  }
}

fs::path golden_folder() {
  const char* folder = std::getenv("DLG_GOLDEN_FOLDER");
  return folder == nullptr ? fs::path(test::source_dir()) / "tests/golden" : fs::path(folder);
}

std::vector<fs::path> golden_files() {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::recursive_directory_iterator(golden_folder())) {
    if (entry.path().extension() == ".golden") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace

TEST_CASE("every golden file is what the program says") {
  const bool is_bless = std::getenv("DLG_BLESS") != nullptr;
  for (const fs::path& path : golden_files()) {
    const Golden golden = parse_golden(read_all(path));
    INFO(path.string());
    CHECK_FALSE(golden.commands.empty());
    const std::string actual = actual_of(golden);
    if (is_bless && actual != golden.expected) {
      write_file(path, golden.input + actual);
      continue;
    }
    if (actual == golden.expected) continue;
    FAIL_CHECK(difference(golden.expected, actual) << "rewrite with scripts/test --bless");
  }
}

}  // namespace dlg
