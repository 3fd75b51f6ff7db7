// Owns what `dlg train` alone can be told.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "driver/cli/command_options.h"

namespace dlg {

/// `--init-map FROM=TO`: entries that begin with `from` are read with `to` in its place.
struct InitMap {
  std::string from;
  std::string to;
};

/// Weights to start from.
struct InitOptions {
  std::string file;           // --init; empty: the initial values of the program
  std::vector<InitMap> maps;  // --init-map
};

struct TrainOptions {
  InitOptions init;
  std::optional<std::string> resume;  // --resume; empty: the latest run of this program
  std::int64_t save_every = 60;       // --save-every, seconds
  bool is_quiet = false;              // --quiet
};
void add_options(CommandOptions& options, TrainOptions& train);

}  // namespace dlg
