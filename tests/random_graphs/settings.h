// Owns which random graphs a run takes: 1 .. 1000, or what DLG_RANDOM_SEED and DLG_RANDOM_COUNT say.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <cstdlib>
#include <string>

namespace dlg::test {

struct Seeds {
  std::uint64_t first = 1;
  std::uint64_t count = 1000;

  std::uint64_t end() const { return first + count; }
  std::string title() const {
    return fmt::format("random graphs {} .. {} (DLG_RANDOM_SEED, DLG_RANDOM_COUNT)", first, end() - 1);
  }
};

inline Seeds seeds_to_run() {
  const auto setting = [](const char* name, std::uint64_t fallback) {
    const char* text = std::getenv(name);
    return text == nullptr ? fallback : std::strtoull(text, nullptr, 10);
  };
  return {setting("DLG_RANDOM_SEED", 1), setting("DLG_RANDOM_COUNT", 1000)};
}

}  // namespace dlg::test
