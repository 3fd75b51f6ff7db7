// Owns the groups of options that several verbs take, each with the function that declares it. What one verb
// alone takes is in its own file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "codegen/jit.h"
#include "driver/cli/command_options.h"
#include "frontend/compile.h"
#include "passes/fuse/fuse.h"

namespace dlg {

enum class DiagnosticFormat : std::uint8_t { kText, kJson };

/// Which program it is.
struct FileOptions {
  std::string file;                                        // FILE
  std::vector<Override> overrides;                         // --set key=value
  DiagnosticFormat diagnostics = DiagnosticFormat::kText;  // --diagnostics text|json
};
void add_options(CommandOptions& options, FileOptions& file);

enum class TimePasses : std::uint8_t { kOff, kOn };

/// How it is compiled and run.
struct EngineOptions {
  std::optional<std::uint64_t> seed;          // --seed
  Target target = Target::kHost;              // --target
  std::optional<int> threads;                 // --threads
  Fusion fusion = Fusion::kOn;                // --no-fuse, --no-fuse-update
  Caching caching = Caching::kOn;             // --no-cache
  TimePasses time_passes = TimePasses::kOff;  // --time-passes
};
void add_options(CommandOptions& options, EngineOptions& engine);

/// Which engine makes the steps: --engine.
enum class Engine : std::uint8_t { kJit, kInterpreter };
void add_options(CommandOptions& options, Engine& engine);

/// Which weights of a run: after the last update, at the best epoch, or the averages that `ema` kept.
enum class WeightsChoice : std::uint8_t { kLast, kBest, kAverage };
/// The name of the file in a run that holds these weights.
std::string weights_file(WeightsChoice choice);

/// Which trained run.
struct RunOptions {
  std::string run;                               // --run; empty: the latest of the program
  WeightsChoice weights = WeightsChoice::kLast;  // --weights
};
void add_options(CommandOptions& options, RunOptions& chosen);

/// How a result is printed: --json.
enum class ResultFormat : std::uint8_t { kText, kJson };
void add_options(CommandOptions& options, ResultFormat& format);

}  // namespace dlg
