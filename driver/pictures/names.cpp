#include "driver/pictures/names.h"

#include <fmt/format.h>

#include <algorithm>

#include "support/diagnostic.h"
#include "support/text.h"

namespace dlg {

std::optional<std::size_t> find_path(const std::string& wanted, const std::vector<std::string>& paths,
                                     const std::string& what, NoSuchName& fault) {
  const auto exact = std::find(paths.begin(), paths.end(), wanted);
  if (exact != paths.end()) return static_cast<std::size_t>(exact - paths.begin());
  std::vector<std::string> meant;
  std::vector<std::string> known = paths;
  std::optional<std::size_t> place;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    if (const std::size_t dot = paths[i].find('.'); dot != std::string::npos)
      known.push_back(paths[i].substr(dot + 1));
    if (!paths[i].ends_with("." + wanted)) continue;
    place = i;
    meant.push_back(fmt::format("`{}`", paths[i]));
  }
  if (meant.size() == 1) return place;
  if (meant.empty()) {
    fault = {fmt::format("the program has no {} `{}`", what, wanted), nearest_name(wanted, known)};
  } else {
    fault = {fmt::format("`{}` may be {}", wanted, join_words(meant, " or ")), std::nullopt};
  }
  return std::nullopt;
}

}  // namespace dlg
