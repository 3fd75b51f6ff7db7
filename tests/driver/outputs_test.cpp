// Owns the promise that nothing that dlg writes takes the place of what it reads: every verb that writes,
// every kind of input, every way to name a file.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "tests/catch.h"
#include "tests/driver/programs_in_tests.h"

namespace {

using namespace dlg;
using namespace dlg::testing;

namespace fs = std::filesystem;

constexpr const char* kProgram = R"(dlg 1
import "parts/own.dlg"
data d {
  file = csv("rows.csv")
  test = csv("test.csv")
  x = column("a")
  t = column("b")
}
model net(x: []) -> [] {
  param w: [] = 0
  return twice(w * x)
}
train {
  minimize = mse(net(d.x), d.t)
  optimizer = sgd(lr = 0.01)
  stop = [3 epochs]
}
)";

constexpr const char* kRace = R"(dlg 1
import "own.dlg"
data d {
  file = csv("race.csv")
  x = column("a")
  t = column("b")
}
model net(x: []) -> [] {
  param w: [] = 0
  return twice(w * x)
}
race "two" {
  minimize = mse(net(d.x), d.t)
  with = [sgd(lr = 0.01), sgd(lr = 0.02)]
  stop = [3 steps]
}
)";

void write(const std::string& path, const std::string& text) {
  if (const fs::path folder = fs::path(path).parent_path(); !folder.empty()) fs::create_directories(folder);
  std::ofstream(path, std::ios::binary) << text;
}

/// A trained program with each kind of input in a folder `p`, the working folder around it.
void make_inputs() {
  write("p/net.dlg", kProgram);
  write("p/parts/own.dlg", "dlg 1\nfn twice(x: []) -> [] = 2 * x\n");
  write("p/rows.csv", "a,b\n1,2\n2,4\n3,6\n");
  write("p/test.csv", "a,b\n4,8\n");
  write("samples.csv", "a,b\n5,0\n");
  const Called trained = call_dlg({"train", "p/net.dlg", "-q"});
  CAPTURE(trained.err);
  REQUIRE(trained.exit_code == 0);
}

/// Everything below the working folder but links.
std::map<std::string, std::string> all_files() {
  std::map<std::string, std::string> files;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(".")) {
    if (entry.is_regular_file() && !entry.is_symlink())
      files[entry.path().string()] = read_text(entry.path().string());
  }
  return files;
}

/// Other names of one file; the links are made.
std::vector<std::string> names_of(const std::string& path) {
  static int count = 0;
  const std::string link = fmt::format("link{}", ++count);
  const fs::path absolute = fs::absolute(path);
  fs::create_symlink(absolute, link);
  fs::create_symlink(link, link + "-of-link");
  fs::create_hard_link(path, link + "-hard");
  fs::create_directory_symlink(absolute.parent_path(), link + "-folder");
  return {
      path, "./" + path,       "p/../" + path, absolute.string(),
      link, link + "-of-link", link + "-hard", (fs::path(link + "-folder") / absolute.filename()).string()};
}

/// The call is refused, and every file has the bytes that it had.
void check_refused(const std::vector<std::string>& arguments) {
  const auto before = all_files();
  const Called called = call_dlg(arguments);
  CAPTURE(arguments, called.out, called.err);
  CHECK(called.exit_code == 1);
  CHECK(called.err.find("DLG0630") != std::string::npos);
  CHECK(called.err.find("is an input") != std::string::npos);
  CHECK((all_files() == before));
}

TEST_CASE("predictions replace no input, by whatever name") {
  const EmptyWorkingFolder folder;
  make_inputs();
  const std::string run = "runs/0001-net/";
  for (const std::string& input :
       {std::string("p/net.dlg"), std::string("p/parts/own.dlg"), std::string("p/rows.csv"),
        std::string("p/test.csv"), std::string("samples.csv"), run + "weights.safetensors",
        run + "optimizer.safetensors", run + "run.json", run + "log.jsonl", run + "model.dlg",
        run + "imports/parts/own.dlg"}) {
    for (const std::string& name : names_of(input)) {
      check_refused({"predict", "p/net.dlg", "samples.csv", "--out", name});
    }
  }
}

TEST_CASE("predictions go to any other file, twice") {
  const EmptyWorkingFolder folder;
  make_inputs();
  for (const char* output : {"y.csv", "y.csv", "runs/0001-net/y.csv", "p/y.csv"}) {
    const Called called = call_dlg({"predict", "p/net.dlg", "samples.csv", "--out", output});
    CAPTURE(output, called.err);
    CHECK(called.exit_code == 0);
    CHECK(read_text(output).substr(0, 3) == "y0\n");
  }
  const Called missing = call_dlg({"predict", "p/net.dlg", "nowhere.csv", "--out", "nowhere.csv"});
  CHECK(missing.exit_code == 1);
  CHECK_FALSE(fs::exists("nowhere.csv"));
}

TEST_CASE("a data file that the command line names is an input too") {
  const EmptyWorkingFolder folder;
  make_inputs();
  write("elsewhere.csv", "a,b\n1,2\n");
  const std::string set = fmt::format("d.file=csv(\"{}\")", fs::absolute("elsewhere.csv").string());
  check_refused({"predict", "p/net.dlg", "samples.csv", "--out", "elsewhere.csv", "--set", set});
}

TEST_CASE("a race replaces none of the program, its imports, its data and a run") {
  const EmptyWorkingFolder folder;
  make_inputs();
  write("r/model.dlg", kRace);
  write("r/own.dlg", "dlg 1\nfn twice(x: []) -> [] = 2 * x\n");
  write("r/race.csv", "a,b\n1,2\n2,4\n");
  // The table of a race is called as the data is, the copy of the program as the program is.
  check_refused({"race", "r/model.dlg", "--out", "r"});
  check_refused({"race", "r/model.dlg", "--out", "./r/../r/"});
  fs::rename("r/model.dlg", "r/net.dlg");
  check_refused({"race", "r/net.dlg", "--out", "r"});
  fs::create_directory_symlink("r", "linked");
  check_refused({"race", "r/net.dlg", "--out", "linked"});
  // A folder that is not the program's, with a link to each input.
  for (const auto& [output, input] : std::map<std::string, std::string>{{"race.svg", "r/net.dlg"},
                                                                        {"race.html", "r/own.dlg"},
                                                                        {"race.tex", "r/race.csv"},
                                                                        {"model.dlg", "r/net.dlg"},
                                                                        {"imports/own.dlg", "r/own.dlg"}}) {
    const fs::path target = fs::path("out") / output;
    fs::create_directories(target.parent_path());
    fs::create_symlink(fs::absolute(input), target);
    check_refused({"race", "r/net.dlg", "--out", "out"});
    fs::remove(target);
    fs::create_hard_link(input, target);
    check_refused({"race", "r/net.dlg", "--out", "out"});
    fs::remove_all("out");
  }
  check_refused({"race", "r/net.dlg", "--out", "runs/0001-net"});
  CHECK(call_dlg({"race", "r/net.dlg", "--out", "out"}).exit_code == 0);
  CHECK(call_dlg({"race", "r/net.dlg", "--out", "out"}).exit_code == 0);
}

TEST_CASE("a training that goes on replaces no data that lies in its run") {
  const EmptyWorkingFolder folder;
  make_inputs();
  for (const char* output : {"log.jsonl", "run.json", "weights.safetensors", "optimizer.safetensors",
                             "optimizer.next.safetensors", "best.safetensors", "ema.safetensors"}) {
    const fs::path path = fs::path("runs/0001-net") / output;
    const bool is_there = fs::exists(path);
    if (!is_there) fs::copy_file("p/rows.csv", path);
    const std::string set = fmt::format("d.file=csv(\"{}\")", fs::absolute(path).string());
    check_refused({"train", "p/net.dlg", "--resume", "1", "--set", "stop=5 epochs", "--set", set});
    if (!is_there) fs::remove(path);
  }
}

TEST_CASE("a new training and a new example overwrite nothing that is there") {
  const EmptyWorkingFolder folder;
  make_inputs();
  write("runs/0002", "a file of somebody");
  fs::create_symlink("p/rows.csv", "example");
  const auto before = all_files();
  CHECK(call_dlg({"train", "p/net.dlg", "-q"}).exit_code == 0);
  for (const char* name : {"p", "p/rows.csv", "example"}) {
    CHECK(call_dlg({"new", name, "--template", "xor"}).exit_code == 3);
  }
  fs::create_symlink("nowhere", "dangling");
  CHECK(call_dlg({"new", "dangling", "--template", "xor"}).exit_code == 3);
  const auto after = all_files();
  for (const auto& [path, text] : before) CHECK((after.at(path) == text));
}

}  // namespace
