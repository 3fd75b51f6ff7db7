// Owns the tests of run folders and run.json.
#include <set>
#include <thread>

#include "runtime/run_folder.h"
#include "tests/catch.h"
#include "tests/unit/runtime/helpers.h"

namespace dlg {
namespace {

namespace fs = std::filesystem;

/// Makes a folder that looks like a run, with or without weights.
void put_run(const TestFolder& folder, const std::string& name, const std::string& weights) {
  fs::create_directories(folder / ("runs/" + name));
  if (!weights.empty()) put_file(folder / ("runs/" + name + "/weights.safetensors"), weights);
}

std::string found_name(const TestFolder& folder, const std::string& wanted) {
  Diagnostics diagnostics;
  const auto run = find_run(folder / "runs", wanted, diagnostics);
  return run ? fs::path(run->path).filename().string() : diagnostics_text(diagnostics);
}

RunRecord full_record() {
  RunRecord record;
  record.program = "mlp";
  record.model = "mlp";
  record.started = utc_time_text();
  record.seed = 18446744073709551615u;
  record.versions = {{"dlg", "0.1.0"}, {"llvm", "LLVM 19.1.7"}};
  record.settings = {{"optimizer.lr", "0.001"}, {"batch", "64"}};
  record.overrides = {{"batch", "64"}};
  record.data_name = "digits";
  record.data_file = "digits.csv";
  record.header = {"a", "with \"quotes\""};
  record.fields = {{"x", {0, 1}, {}, {}, 0.5, 16, 2, {3, 28, 28}},
                   {"t", {}, {"label"}, {"cat", "dög"}, 0, 1, 1}};
  record.results = {{"test accuracy", 0.9722222222222222}};
  record.ended = "20 epochs";
  return record;
}

}  // namespace

TEST_CASE("runs are numbered") {
  const TestFolder folder;
  Diagnostics diagnostics;
  const auto first = create_run_folder(folder / "runs", "mlp", diagnostics);
  const auto second = create_run_folder(folder / "runs", "other/../x y", diagnostics);
  REQUIRE(first);
  REQUIRE(second);
  CHECK(first->path == folder / "runs/0001-mlp");
  CHECK(second->path == folder / "runs/0002-other-..-x-y");
  CHECK(fs::is_directory(second->path));
  CHECK(first->weights() == folder / "runs/0001-mlp/weights.safetensors");
  put_run(folder, "12345-big", "w");
  CHECK(create_run_folder(folder / "runs", "mlp", diagnostics)->path == folder / "runs/12346-mlp");
}

TEST_CASE("a number is never given twice, whoever asks at once") {
  const TestFolder folder;
  constexpr int kThreads = 4;
  constexpr int kEach = 10;
  std::vector<std::vector<std::int64_t>> numbers(kThreads);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      Diagnostics diagnostics;
      for (int i = 0; i < kEach; ++i) {
        const auto run = create_run_folder(folder / "runs", "t" + std::to_string(t), diagnostics);
        if (run) numbers[static_cast<std::size_t>(t)].push_back(run->number);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<std::int64_t> distinct;
  for (const auto& list : numbers) distinct.insert(list.begin(), list.end());
  CHECK(distinct.size() == kThreads * kEach);
}

TEST_CASE("a folder that cannot be made") {
  const TestFolder folder;
  put_file(folder / "runs", "a file");
  Diagnostics diagnostics;
  CHECK_FALSE(create_run_folder(folder / "runs", "mlp", diagnostics));
  CHECK(diagnostics.all()[0].code == DiagCode::FolderNotMade);
  CHECK(diagnostics.exit_code() == 3);
}

TEST_CASE("the latest run is the last one with weights") {
  const TestFolder folder;
  put_run(folder, "0001-a", "w");
  put_run(folder, "0002-b", "w");
  put_run(folder, "0003-a", "");
  put_run(folder, "notes", "w");
  Diagnostics diagnostics;
  CHECK(latest_run(folder / "runs", "", diagnostics)->number == 2);
  CHECK(latest_run(folder / "runs", "a", diagnostics)->number == 1);
  CHECK_FALSE(latest_run(folder / "runs", "c", diagnostics));
  CHECK_FALSE(latest_run("no-runs-here", "", diagnostics));
  CHECK(diagnostics_text(diagnostics) ==
        "DLG0611 there is no run of `c` with weights in `" + folder.path() +
            "/runs`\nDLG0611 there is no finished run in `no-runs-here`: train "
            "first");
  CHECK(diagnostics.exit_code() == 1);
}

TEST_CASE("a run by number, name, program and path") {
  const TestFolder folder;
  put_run(folder, "0001-a", "w");
  put_run(folder, "0002-b", "w");
  put_run(folder, "0003-a", "w");
  put_run(folder, "0004-a", "");
  CHECK(found_name(folder, "1") == "0001-a");
  CHECK(found_name(folder, "0002") == "0002-b");
  CHECK(found_name(folder, "0001-a") == "0001-a");
  CHECK(found_name(folder, "a") == "0003-a");
  CHECK(found_name(folder, folder / "runs/0001-a/") == "0001-a");
  CHECK(found_name(folder, "4") == "DLG0612 the run `" + folder.path() +
                                       "/runs/0004-a` has no weights: it was stopped before it saved them");
  CHECK(found_name(folder, "0002-c") ==
        "DLG0611 there is no run `0002-c` in `" + folder.path() + "/runs` | did you mean `0002-b`?");
  CHECK(found_name(folder, "77") == "DLG0611 there is no run `77` in `" + folder.path() + "/runs`");
}

TEST_CASE("run.json comes back with every bit") {
  const TestFolder folder;
  Diagnostics diagnostics;
  const RunFolder run = *create_run_folder(folder / "runs", "mlp", diagnostics);
  const RunRecord record = full_record();
  REQUIRE(write_run_record(run, record, diagnostics));
  const auto back = read_run_record(run, diagnostics);
  INFO(diagnostics_text(diagnostics));
  REQUIRE(back);
  CHECK(back->seed == record.seed);
  CHECK(back->started == record.started);
  CHECK(back->versions == record.versions);
  CHECK(back->settings == record.settings);
  CHECK(back->overrides == record.overrides);
  CHECK(back->header == record.header);
  CHECK(back->results == record.results);
  CHECK(back->ended == record.ended);
  REQUIRE(back->fields.size() == 2);
  CHECK(back->fields[0].column_numbers == record.fields[0].column_numbers);
  CHECK(back->fields[0].scale_subtract == 0.5);
  CHECK(back->fields[0].scale_divide == 16);
  CHECK(back->fields[0].scale_multiply == 2);
  CHECK(back->fields[0].image_shape == record.fields[0].image_shape);
  CHECK(back->fields[1].image_shape.empty());
  CHECK(back->fields[1].column_names == record.fields[1].column_names);
  CHECK(back->fields[1].class_names == record.fields[1].class_names);
}

TEST_CASE("a run.json that cannot be used") {
  const TestFolder folder;
  put_run(folder, "0001-a", "w");
  const RunFolder run{folder / "runs/0001-a", 1, "a"};
  const auto fault = [&](const std::string& text) {
    put_file(run.record(), text);
    Diagnostics diagnostics;
    CHECK_FALSE(read_run_record(run, diagnostics));
    const std::string shown = diagnostics_text(diagnostics);
    return shown.substr(shown.find("used: "));
  };
  CHECK(fault("{") == "used: it is no JSON at byte 2");
  CHECK(fault("[]") == "used: its `format` is missing");
  CHECK(fault(R"({"format":2})") == "used: it has format 2, this dlg knows up to 1");
  CHECK(fault(R"({"format":1,"program":7})") == "used: its `program` is missing or damaged");
  CHECK(fault(R"({"format":1,"program":"a"})") == "used: its `model` is missing or damaged");
}

}  // namespace dlg
