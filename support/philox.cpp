#include "support/philox.h"

namespace dlg {
namespace {

std::uint32_t low_word(std::uint64_t value) {
  return static_cast<std::uint32_t>(value);
}
std::uint32_t high_word(std::uint64_t value) {
  return static_cast<std::uint32_t>(value >> 32);
}

}  // namespace

std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key) {
  const auto words =
      philox_words<PhiloxWord>({counter[0], counter[1], counter[2], counter[3]}, {key[0], key[1]});
  return {low_word(words[0]), low_word(words[1]), low_word(words[2]), low_word(words[3])};
}

std::uint64_t fnv1a(std::string_view bytes, std::uint64_t before) {
  std::uint64_t hash = before;
  for (const char byte : bytes) {
    hash ^= static_cast<unsigned char>(byte);
    hash *= 0x100000001b3;
  }
  return hash;
}

std::array<std::uint32_t, 2> stream_key(std::uint64_t seed, std::string_view path) {
  const std::uint64_t stream = fnv1a(path);
  const auto words = philox({low_word(stream), high_word(stream), 0, 0}, {low_word(seed), high_word(seed)});
  return {words[0], words[1]};
}

}  // namespace dlg
