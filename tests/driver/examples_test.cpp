// Owns the proof that every example works: each .dlg file under examples/ is checked and trained, from a copy
// of its folder; of a race, it is run. A new example needs no line here.
#include "tests/catch.h"
#include "tests/driver/example_steps.h"
#include "tests/driver/programs_in_tests.h"

namespace {

namespace fs = std::filesystem;
using namespace dlg::testing;

/// The working folder for a while.
class WorkingFolder {
 public:
  explicit WorkingFolder(const std::string& folder) : before_(fs::current_path()) {
    fs::current_path(folder);
  }
  ~WorkingFolder() { fs::current_path(before_); }
  WorkingFolder(const WorkingFolder&) = delete;
  WorkingFolder& operator=(const WorkingFolder&) = delete;

 private:
  fs::path before_;
};

bool is_race(const fs::path& program) {
  return read_text(program.string()).find("\nrace \"") != std::string::npos;
}

TEST_CASE("every example passes its checks and trains") {
  const std::vector<fs::path> programs = example_programs();
  REQUIRE(programs.size() >= 7);
  for (const fs::path& program : programs) {
    const ExampleCopy copy(program);
    const WorkingFolder folder(copy.folder());
    const std::string file = program.filename().string();
    CAPTURE(program.string());
    // The interpreter takes some ten seconds of a net for pictures: tools/run_fashion.py judges what it
    // learns.
    if (!reads_pictures(program)) {
      const Called check = call_dlg({"check", file});
      CAPTURE(check.out, check.err);
      CHECK(check.exit_code == 0);
    }
    if (is_race(program)) {
      const Called race = call_dlg({"race", file, "--set", "stop=3 steps"});
      CAPTURE(race.out, race.err);
      CHECK(race.exit_code == 0);
      CHECK(race.out.find("wrote runs/0001-") != std::string::npos);
      continue;
    }
    const Called train = call_dlg({"train", file, "--set", "stop=3 steps", "--quiet"});
    CAPTURE(train.out, train.err);
    CHECK(train.exit_code == 0);
    CHECK(train.out.find("3 steps: the limit of steps") != std::string::npos);
  }
}

TEST_CASE("the table of examples names each of them") {
  std::ifstream stream(source_path("examples/README.md"));
  const std::string table((std::istreambuf_iterator<char>(stream)), {});
  for (const fs::path& program : example_programs()) {
    const std::string name = fs::relative(program, source_path("examples")).string();
    CAPTURE(name);
    CHECK(table.find("](" + name + ")") != std::string::npos);
  }
}

}  // namespace
