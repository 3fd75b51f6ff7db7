// Owns the tests of broken input: thousands of programs and data files, cut and changed at random, of which
// each gets an exit code of the list and a message of ours within five seconds.
//
// DLG_MUTATION_SEED and DLG_MUTATION_COUNT choose others; a case that fails is printed with its input.
#include <array>
#include <cstring>
#include <iostream>
#include <regex>

#include "runtime/safetensors.h"
#include "tests/catch.h"
#include "tests/driver/programs_in_tests.h"
#include "tests/mutations/batches.h"
#include "tests/mutations/mutator.h"

namespace dlg {
namespace {

namespace fs = std::filesystem;
using test::Random;
using testing::Called;

constexpr unsigned kSeconds = 5;
/// What only a library would say, or a program that did not expect it.
constexpr std::array<std::string_view, 9> kForeignWords{"terminate called", "std::",     "what()",
                                                        "basic_string",     "nlohmann",  "CLI::",
                                                        "LLVM ERROR",       "Assertion", "runtime error"};

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

std::uint64_t first_seed() {
  return from_environment("DLG_MUTATION_SEED", 1);
}

/// All example programs and the files of the standard library.
std::vector<std::string> base_programs() {
  std::vector<std::string> texts;
  for (const char* folder : {"examples", "std"}) {
    std::vector<fs::path> paths;
    for (const auto& entry : fs::recursive_directory_iterator(testing::source_path(folder))) {
      if (entry.path().extension() == ".dlg") paths.push_back(entry.path());
    }
    std::sort(paths.begin(), paths.end());
    for (const fs::path& path : paths) texts.push_back(testing::read_text(path.string()));
  }
  return texts;
}

std::string shown(const std::string& text) {
  constexpr std::size_t kMost = 4000;
  return text.size() <= kMost ? text : text.substr(0, kMost) + "...";
}

/// What is wrong with an answer of dlg, or nothing.
std::string fault_of(const Called& called) {
  // A file without text has no line to name.
  static const std::regex kPlace(R"(--> [^\n]*:\d+:\d+|first line is not `dlg 1`\n *--> net\.dlg\n)");
  if (called.exit_code < 0 || called.exit_code > 5 || called.exit_code == 2) {
    return fmt::format("exit code {}", called.exit_code);
  }
  for (const std::string_view word : kForeignWords) {
    if (called.err.find(word) != std::string::npos) return fmt::format("it says `{}`", word);
  }
  if (called.exit_code == 0 || called.exit_code == 4) return "";
  // A step whose update is not finite is shown all the same.
  if (called.exit_code == 5 && called.err.ends_with("not finite, so no update was made\n")) return "";
  if (called.err.find("error[DLG") == std::string::npos) return "an error without a code";
  if (called.exit_code == 1 && !std::regex_search(called.err, kPlace)) return "an error without a place";
  return "";
}

/// Most go through the compiler up to loops, with any numbers; some are run, with numbers that keep them
/// small.
struct Run {
  std::vector<std::string> arguments;
  std::vector<std::string> numbers;
};

Run chosen_run(Random& random) {
  const std::vector<std::string> small{"0",  "1",        "-1",     "0.5",   "3",
                                       "17", "2 epochs", "1e-320", "1e400", "1/0"};
  const std::vector<std::string> any{"0",     "-1",  "2147483648",  "9999999999999", "1e308", "1e-320",
                                     "1e400", "0/0", "65536*65536", "3 steps",       "1_000", "0x10"};
  switch (random.below(40)) {
    case 0:
      return {{"check", "net.dlg"}, small};
    case 1:
      return {{"train", "net.dlg", "--quiet", "--set", "stop=2 steps"}, small};
    case 2:
      return {{"step", "net.dlg"}, small};
    default:
      return {{"show", "net.dlg", "--stage", "loops"}, any};
  }
}

std::string program_case(const test::ProgramMutator& mutator, std::size_t programs, std::size_t index) {
  Random random(first_seed() * 1'000'003 + index);
  const Run run = chosen_run(random);
  const std::string text = mutator.mutated(random.below(programs), random, run.numbers);
  std::ofstream("net.dlg", std::ios::binary) << text;
  const Called called = testing::call_dlg(run.arguments);
  const std::string fault = fault_of(called);
  return fault.empty() ? "" : fmt::format("{}\n{}\n{}", fault, shown(called.err), shown(text));
}

std::string npy_bytes(std::string_view descr, std::string_view shape, const std::string& data) {
  std::string header =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': {}, }}\n", descr, shape);
  const auto size = static_cast<std::uint16_t>(header.size());
  std::string bytes("\x93NUMPY\x01\x00", 8);
  bytes.append(reinterpret_cast<const char*>(&size), sizeof size);
  return bytes + header + data;
}

std::string float_bytes(const std::vector<float>& values) {
  std::string bytes(values.size() * sizeof(float), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

/// A program and the one file that it reads, with the words to run it.
struct DataCase {
  std::string program;
  std::string file;
  std::string bytes;
  std::vector<std::string> arguments;
};

constexpr std::string_view kTrain =
    "train {\n  minimize  = net(d.x)^2\n  optimizer = sgd(lr = 0.1)\n  stop      = [1 steps]\n}\n";
constexpr std::string_view kModel = "model net(x: [2]) -> [] {\n  param w: [2] = 1\n  return w @ x\n}\n";

std::vector<DataCase> data_cases() {
  const std::string csv_field = "  file = csv(\"rows.csv\")\n  x    = columns(\"a\", \"b\")\n";
  const std::string npy_field = "  x = npy(\"x.npy\")\n";
  const auto with = [](const std::string& field) {
    return fmt::format("dlg 1\ndata d {{\n{}}}\n{}{}", field, kModel, kTrain);
  };
  TensorFile weights;
  const std::string values = float_bytes({1, 2});
  weights.tensors = {{"net.w", row_major(DType::kF32, {2}, values.data())}};
  weights.metadata = {{"made", "by a test"}};
  const std::string point =
      fmt::format("dlg 1\nmodel net() -> [] {{\n  param w: [2] = 1\n  return sum(w)\n}}\n{}", kTrain);
  const std::string plain = R"({"net.w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
  std::string length(8, '\0');
  length[0] = static_cast<char>(plain.size());
  const std::vector<std::string> check{"check", "net.dlg"};
  const std::vector<std::string> init{"train", "net.dlg", "--quiet", "--init", "w.safetensors"};
  const std::string no_data = std::string(point).replace(point.find("net(d.x)"), 8, "net()");
  return {{with(csv_field), "rows.csv", "a,b\n1,2\n-3.5,4e-2\n5,6\n", check},
          {with(csv_field), "rows.csv",
           "\xef\xbb\xbf"
           "a,\"b\"\r\n1,\"2\"\r\n3,4",
           check},
          {with(npy_field), "x.npy", npy_bytes("<f4", "(2, 2)", float_bytes({1, 2, 3, 4})), check},
          {with(npy_field), "x.npy", npy_bytes("|u1", "(3, 2)", "abcdef"), check},
          {no_data, "w.safetensors", safetensors_bytes(weights), init},
          {no_data, "w.safetensors", length + plain + float_bytes({1, 2}), init}};
}

std::string data_case(const std::vector<DataCase>& cases, std::size_t index) {
  Random random(first_seed() * 1'000'003 + index);
  const DataCase& chosen = cases[index % cases.size()];
  const std::string bytes = test::mutated_bytes(chosen.bytes, random);
  std::ofstream("net.dlg", std::ios::binary) << chosen.program;
  std::ofstream(chosen.file, std::ios::binary) << bytes;
  const Called called = testing::call_dlg(chosen.arguments);
  const std::string fault = fault_of(called);
  return fault.empty() ? ""
                       : fmt::format("{}: {}\n{}\n{}", chosen.file, fault, shown(called.err), shown(bytes));
}

void report(const std::vector<std::string>& wrong) {
  INFO("DLG_MUTATION_SEED=" << first_seed());
  for (const std::string& line : wrong) UNSCOPED_INFO(line);
  CHECK(wrong.empty());
}

}  // namespace

TEST_CASE("programs that were cut and changed get a message") {
  const testing::EmptyWorkingFolder folder;
  fs::copy_file(testing::source_path("examples/digits/digits.csv"), "digits.csv");
  const std::vector<std::string> programs = base_programs();
  const test::ProgramMutator mutator(programs);
  const auto count = static_cast<std::size_t>(from_environment("DLG_MUTATION_COUNT", 5000));
  report(test::run_cases(count, kSeconds,
                         [&](std::size_t i) { return program_case(mutator, programs.size(), i); }));
}

TEST_CASE("data and weight files that were cut and changed get a message") {
  const testing::EmptyWorkingFolder folder;
  const std::vector<DataCase> cases = data_cases();
  report(test::run_cases(500, kSeconds, [&](std::size_t i) { return data_case(cases, i); }));
}

}  // namespace dlg
