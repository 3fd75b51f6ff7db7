// Owns the tests of trainings by several workers and for several targets: the same bytes, the same accuracy
// where a target has bits of its own, even shares, and a log of who did what.
#include <pthread.h>

#include <cmath>
#include <functional>
#include <numeric>
#include <span>

#include "driver/engine/programs.h"
#include "runtime/json.h"
#include "tests/catch.h"
#include "tests/driver/programs_in_tests.h"

namespace {

using namespace dlg;
using namespace dlg::testing;

/// Layers wide enough for their kernels to be divided, and a ragged last batch.
constexpr std::string_view kWide = R"(dlg 1
dim pixel = 64
dim cls = 10
data digits {
  file  = csv("digits/digits.csv", header = none)
  x     = columns(0..63) / 16 as [pixel]
  t     = class(column(64))
  split = shares(train = 0.3, val = 0.3, test = 0.4)
}
model mlp(x: [pixel]) -> [cls] = x |> dense(200, relu) |> dense(130, tanh) |> dense(cls)
train {
  minimize  = cross_entropy(mlp(digits.x), digits.t)
  optimizer = adam()
  batch     = 100
  stop      = [3 epochs]
}
)";

/// The weights after a training with these options.
std::string weights_of(const std::vector<std::string>& options, int run) {
  std::vector<std::string> words{"train", "wide.dlg", "--quiet"};
  words.insert(words.end(), options.begin(), options.end());
  const Called train = call_dlg(words);
  CAPTURE(train.err);
  REQUIRE(train.exit_code == 0);
  return read_text("runs/000" + std::to_string(run) + "-wide/weights.safetensors");
}

/// The shares of the workers in the log of a run.
std::vector<double> shares_in(const std::string& log) {
  std::vector<double> shares;
  std::istringstream lines(log);
  for (std::string line; std::getline(lines, line);) {
    const std::optional<Json> json = parse_json(line).value;
    REQUIRE(json.has_value());
    if (*json->find("event")->as_text() == "worker") shares.push_back(*json->find("share")->as_number());
  }
  return shares;
}

TEST_CASE("any number of threads and every target with fma train to the same bytes") {
  const EmptyWorkingFolder folder;
  REQUIRE(call_dlg({"new", "digits"}).exit_code == 0);
  std::ofstream("wide.dlg", std::ios::binary) << kWide;
  int run = 0;
  const std::string alone = weights_of({"--threads", "1"}, ++run);
  CHECK(alone.size() > 100000);
  for (const char* threads : {"2", "3", "64"}) CHECK((weights_of({"--threads", threads}, ++run) == alone));
  CHECK((weights_of({}, ++run) == alone));
  for (const auto& [target, name] :
       {std::pair(Target::kAvx512, "avx512"), std::pair(Target::kAvx2, "avx2")}) {
    if (can_run(target)) {
      CHECK((weights_of({"--target", name, "--threads", "2"}, ++run) == alone));
    } else {
      WARN("SKIP: this machine has no " << name);
    }
  }
}

TEST_CASE("the log of a training by two threads says what each of them did") {
  const EmptyWorkingFolder folder;
  REQUIRE(call_dlg({"new", "digits"}).exit_code == 0);
  std::ofstream("wide.dlg", std::ios::binary) << kWide;
  weights_of({"--threads", "2"}, 1);
  const std::vector<double> shares = shares_in(read_text("runs/0001-wide/log.jsonl"));
  REQUIRE(shares.size() == 2);
  CHECK(shares[0] + shares[1] == Approx(1));
  for (const double share : shares) CHECK(share > 0);
}

/// "test accuracy 97.22 %" of the digits example, trained to its end.
double accuracy_on(const std::string& target) {
  const Called train = call_dlg({"train", "digits/mlp.dlg", "--quiet", "--target", target});
  CAPTURE(target, train.err);
  REQUIRE(train.exit_code == 0);
  const std::string mark = "test accuracy ";
  const std::size_t at = train.out.find(mark);
  REQUIRE(at != std::string::npos);
  return leading_number(train.out.substr(at + mark.size()));
}

TEST_CASE("sse2, which has bits of its own, trains the digits to the same accuracy") {
  const EmptyWorkingFolder folder;
  REQUIRE(call_dlg({"new", "digits"}).exit_code == 0);
  const double host = accuracy_on("host");
  const double sse2 = accuracy_on("sse2");
  CHECK(host > 95);
  CHECK(sse2 > 95);
  CHECK(std::abs(sse2 - host) <= 1);
}

/// Two workers, one after the other; how many bytes of the step's memory each of them wrote in each kernel.
struct CountingTeam {
  struct Phase {
    std::int64_t first = 0;
    std::int64_t second = 0;
  };
  std::vector<std::span<const unsigned char>> memory;
  std::vector<Phase> phases = {};

  static void run(void* team, DlgPhase phase, void* arguments) {
    auto& self = *static_cast<CountingTeam*>(team);
    const std::int64_t first = self.changed_by([&] { phase(arguments, 0, 2); });
    const std::int64_t second = self.changed_by([&] { phase(arguments, 1, 2); });
    self.phases.push_back({first, second});
  }

  template <class Work>
  std::int64_t changed_by(const Work& work) {
    std::vector<std::vector<unsigned char>> before;
    for (const auto& block : memory) before.emplace_back(block.begin(), block.end());
    work();
    std::int64_t changed = 0;
    for (std::size_t i = 0; i < memory.size(); ++i) {
      changed += std::inner_product(memory[i].begin(), memory[i].end(), before[i].begin(), std::int64_t{0},
                                    std::plus<>(), std::not_equal_to<>());
    }
    return changed;
  }
};

/// One step of a program by the team.
void run_step_by(CountingTeam& team, Machine& machine, std::int64_t rows) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(rows));
  std::iota(order.begin(), order.end(), 0);
  DlgContext context = step_context(machine.step_program());
  const auto bytes = [](const unsigned char* begin, std::int64_t count) {
    return std::span(begin, static_cast<std::size_t>(count));
  };
  team.memory = {bytes(context.arena, machine.program().arena_bytes),
                 bytes(context.state, machine.program().state_bytes)};
  context.order = order.data();
  context.rows_total = rows;
  context.run_phase = CountingTeam::run;
  context.team = &team;
  // One after the other: one part of the scratch serves both.
  context.scratch_stride = 0;
  REQUIRE(machine.step_program().step(&context, 1) == 1);
}

constexpr std::string_view kSquare = R"(dlg 1
dim inp = 1024
dim cls = 10
data d {
  x = npy("x.npy") as [inp]
  t = npy("t.npy") as [cls]
}
model mlp(x: [inp]) -> [cls] = x |> dense(1024, tanh) |> dense(cls)
train {
  minimize  = mse(mlp(d.x), d.t)
  optimizer = sgd(lr = 0.1)
  batch     = 256
  stop      = [3 steps]
}
)";

/// An f32 array in numpy's format, version 1, with numbers in [-1, 1).
std::string npy(std::int64_t rows, std::int64_t columns) {
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + std::to_string(rows) + ", " +
                       std::to_string(columns) + "), }";
  header.resize(117, ' ');
  std::string text = std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(118) + '\0' + header + "\n";
  std::uint32_t state = 1;
  for (std::int64_t i = 0; i < rows * columns; ++i) {
    state = state * 1664525U + 1013904223U;
    const float number = static_cast<float>(static_cast<std::int32_t>(state)) / 0x1p31F;
    text.append(reinterpret_cast<const char*>(&number), sizeof(number));
  }
  return text;
}

TEST_CASE("each of two workers has at least 30 % of every divided kernel of a wide network") {
  const TempFolder folder;
  folder.write("x.npy", npy(256, 1024));
  folder.write("t.npy", npy(256, 10));
  LoadedProgram loaded(folder.write("square.dlg", std::string(kSquare)));
  INFO(loaded.errors());
  REQUIRE(loaded.is_ok());
  const std::unique_ptr<Machine> machine =
      make_trainer(loaded.session(), loaded.setup(), loaded.setup().rule);
  machine->set_states(initial_states(machine->graph(), 1));
  CountingTeam team;
  run_step_by(team, *machine, 256);
  // Both layers forward, back through the second, both weights.
  CHECK(team.phases.size() >= 5);
  for (const CountingTeam::Phase& phase : team.phases) {
    CAPTURE(phase.first, phase.second);
    CHECK(10 * phase.first >= 3 * (phase.first + phase.second));
    CHECK(10 * phase.second >= 3 * (phase.first + phase.second));
  }
}

/// Runs `work` on a thread with a stack of so many bytes.
void run_on_stack(std::size_t bytes, std::function<void()> work) {
  pthread_attr_t attributes;
  REQUIRE(pthread_attr_init(&attributes) == 0);
  REQUIRE(pthread_attr_setstacksize(&attributes, bytes) == 0);
  pthread_t thread{};
  const auto run = [](void* argument) -> void* {
    (*static_cast<std::function<void()>*>(argument))();
    return nullptr;
  };
  REQUIRE(pthread_create(&thread, &attributes, run, &work) == 0);
  REQUIRE(pthread_join(thread, nullptr) == 0);
  pthread_attr_destroy(&attributes);
}

TEST_CASE("a step of a wide network is made on a small stack") {
  constexpr std::size_t kStackBytes = std::size_t{128} << 10;
  const TempFolder folder;
  folder.write("x.npy", npy(256, 1024));
  folder.write("t.npy", npy(256, 10));
  LoadedProgram loaded(folder.write("square.dlg", std::string(kSquare)));
  INFO(loaded.errors());
  REQUIRE(loaded.is_ok());
  const std::unique_ptr<Machine> machine =
      make_trainer(loaded.session(), loaded.setup(), loaded.setup().rule);
  REQUIRE(machine->step_program().memory->scratch_stride() > static_cast<std::int64_t>(kStackBytes));
  machine->set_states(initial_states(machine->graph(), 1));
  std::vector<std::int64_t> rows(256);
  std::iota(rows.begin(), rows.end(), 0);
  DlgStopReason reason = kDlgLossNotFinite;
  run_on_stack(kStackBytes, [&] { reason = machine->run_rows(rows); });
  CHECK(reason == kDlgStepsDone);
}

}  // namespace
