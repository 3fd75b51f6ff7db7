// Owns the page of a race: one HTML file with everything inside, to be stepped through without a network.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "driver/race/picture.h"
#include "driver/race/report.h"

namespace dlg {

/// The page around the data, page.html. Embedded at build time.
struct PageTemplate {
  std::string_view name;
  std::string_view text;
};
std::span<const PageTemplate> page_templates();

/// `map` is null where the race has no `plot`.
std::string page_text(const RaceReport& report, const ContourMap* map);

}  // namespace dlg
