#include "driver/training/train_options.h"

namespace dlg {

void add_options(CommandOptions& options, TrainOptions& train) {
  constexpr std::uint64_t kMostSeconds = 1'000'000'000;
  options.text({"--init", "start from the weights in this safetensors file, by parameter path", "FILE"},
               train.init.file);
  options.pairs(
      {"--init-map", "read only entries that begin with FROM, with TO in its place: --init-map param.=net.",
       "FROM=TO"},
      CommandOptions::EmptyKey::kTaken, [&](const std::string& from, const std::string& to) {
        train.init.maps.push_back({from, to});
      });
  options.needs("--init-map", "--init");
  options.text_or_alone({"--resume",
                         "go on with a run that was stopped: its folder, number or name (default: the latest "
                         "of this program)",
                         "[RUN]"},
                        train.resume);
  options.excludes("--resume", "--init");
  options.number({"--save-every", "seconds between two saves while training (default: 60)"},
                 {0, kMostSeconds},
                 [&](std::uint64_t seconds) { train.save_every = static_cast<std::int64_t>(seconds); });
  options.flag({"--quiet,-q", "no progress, only the result"}, [&] { train.is_quiet = true; });
}

}  // namespace dlg
