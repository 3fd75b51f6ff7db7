#include "driver/step/step_options.h"

#include <limits>

namespace dlg {

void add_options(CommandOptions& options, StepOptions& step) {
  constexpr auto kMostSamples = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  add_options(options, step.engine);
  options.number({"--sample", "the sample whose values are shown (from 0)"}, {0, kMostSamples},
                 [&](std::uint64_t sample) { step.sample = static_cast<std::int64_t>(sample); });
  options.text(
      {"--against", "compare with printed values: a CSV file with the columns name and printed", "FILE"},
      step.against);
  options.text(
      {"--why", "the paths of the chain rule to one element, such as 'W1[0, 0]', and their sum", "ELEMENT"},
      step.why);
  options.text(
      {"--picture",
       "PNG or SVG file to write: a value of the sample as images, one for each channel; 0 is black, "
       "or grey where some are below it",
       "FILE"},
      step.picture);
  options.text({"--of", "the value that is drawn (default: the first [chan, row, col] of the text)", "VALUE"},
               step.of);
  options.excludes("--why", "--against");
  options.excludes("--picture", "--against");
  options.excludes("--picture", "--why");
  options.needs("--of", "--picture");
}

}  // namespace dlg
