// Owns what a program may name: files of a folder and the folders below it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace dlg {

enum class Outside : std::uint8_t {
  kAbsolute,
  kAbove,  // by `..`
  kLink,   // through a link
};

/// Why `folder / written` is no file of that tree. nullopt: it is one, or it cannot be resolved, so that it
/// cannot be opened either; reading it will say why.
std::optional<Outside> outside_of(const std::filesystem::path& folder, const std::filesystem::path& written);

}  // namespace dlg
