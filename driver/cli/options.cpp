#include "driver/cli/options.h"

#include <array>
#include <limits>

namespace dlg {

void add_options(CommandOptions& options, FileOptions& file) {
  options.text({"FILE", "the program, a .dlg file", "", Presence::kRequired}, file.file);
  options.pairs({"--set", "override a dim, const or setting: --set optimizer.lr=0.1", "KEY=VALUE"},
                CommandOptions::EmptyKey::kRefused, [&](const std::string& key, const std::string& value) {
                  file.overrides.push_back({key, value});
                });
  options.choice({"--diagnostics", "errors and warnings for people, or one JSON object a line"},
                 {"text", "json"}, file.diagnostics);
}

void add_options(CommandOptions& options, EngineOptions& engine) {
  constexpr std::uint64_t kMostSeed = std::numeric_limits<std::uint64_t>::max();
  constexpr std::uint64_t kMostThreads = 1024;
  options.number({"--seed", "seed of all that is drawn (default: that of the run or of the program, 1)"},
                 {0, kMostSeed}, [&](std::uint64_t seed) { engine.seed = seed; });
  options.choice({"--target", "instruction set of the compiled code"}, {"host", "avx512", "avx2", "sse2"},
                 engine.target);
  options.number({"--threads", "worker threads (results do not depend on it; default: one for each core)"},
                 {1, kMostThreads},
                 [&](std::uint64_t threads) { engine.threads = static_cast<int>(threads); });
  options.flag({"--no-fuse", "one kernel per operation (the same bits, slower)"},
               [&] { engine.fusion = Fusion::kOff; });
  options.flag({"--no-fuse-update", "update weights in kernels of their own (the same bits, slower)"}, [&] {
    if (engine.fusion == Fusion::kOn) engine.fusion = Fusion::kWithoutUpdates;
  });
  options.flag({"--no-cache", "compile anew, and keep no compiled objects on disk"},
               [&] { engine.caching = Caching::kOff; });
  options.flag({"--time-passes", "print the time of every stage; of train: until the first step ends"},
               [&] { engine.time_passes = TimePasses::kOn; });
}

void add_options(CommandOptions& options, Engine& engine) {
  options.choice({"--engine", "compiled code or the f64 reference interpreter"}, {"jit", "interpreter"},
                 engine);
}

void add_options(CommandOptions& options, RunOptions& chosen) {
  options.text({"--run", "a run folder, its number or name (default: the latest of this program)"},
               chosen.run);
  options.choice({"--weights", "which weights of the run (default: last)"}, {"last", "best", "ema"},
                 chosen.weights);
}

void add_options(CommandOptions& options, ResultFormat& format) {
  options.flag({"--json", "the result as one JSON object"}, [&] { format = ResultFormat::kJson; });
}

std::string weights_file(WeightsChoice choice) {
  constexpr std::array<const char*, 3> kFiles{"weights.safetensors", "best.safetensors", "ema.safetensors"};
  return kFiles[static_cast<std::size_t>(choice)];
}

}  // namespace dlg
