// Owns how a picture's value is found: by its path, or by the end of it where that is meant for one alone.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace dlg {

/// Why a name finds nothing, and a name near it that finds something.
struct NoSuchName {
  std::string text;
  std::optional<std::string> suggestion;
};

/// The place among `paths` of `wanted`: `net.h`, or `h` where one path alone ends like that. nullopt: `fault`
/// says why, `what` being what is looked for: "value".
std::optional<std::size_t> find_path(const std::string& wanted, const std::vector<std::string>& paths,
                                     const std::string& what, NoSuchName& fault);

}  // namespace dlg
