// Owns what `dlg step` alone can be told.
#pragma once

#include <cstdint>
#include <string>

#include "driver/cli/options.h"

namespace dlg {

struct StepOptions {
  Engine engine = Engine::kJit;  // --engine
  std::int64_t sample = 0;       // --sample
  std::string against;           // --against: CSV
  std::string why;               // --why: the element whose derivative is taken apart
  std::string picture;           // --picture: PNG or SVG
  std::string of;                // --of: the value that is drawn
};
void add_options(CommandOptions& options, StepOptions& step);

}  // namespace dlg
