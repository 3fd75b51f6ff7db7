// Owns Philox, over any type of word, and the keys of its streams: numbers of the host and lanes of compiled
// code give the same bits.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace dlg {

/// A word of 32 bits in the low half of 64; what is above it is of no account.
using PhiloxWord = std::uint64_t;

/// The product of the words, all 64 bits of it.
constexpr PhiloxWord word_product(PhiloxWord a, std::uint64_t factor) {
  return (a & 0xffffffff) * factor;
}

inline constexpr int kPhiloxRounds = 10;

/// One round. A type of word brings word_product, ^, + with a number, >> by a number.
template <class Word>
constexpr std::array<Word, 4> philox_round(const std::array<Word, 4>& words, const std::array<Word, 2>& key) {
  const Word a = word_product(words[0], 0xD2511F53);
  const Word b = word_product(words[2], 0xCD9E8D57);
  return {(b >> 32) ^ words[1] ^ key[0], b, (a >> 32) ^ words[3] ^ key[1], a};
}

/// The key of the next round.
template <class Word>
constexpr std::array<Word, 2> next_key(const std::array<Word, 2>& key) {
  return {key[0] + 0x9E3779B9, key[1] + 0xBB67AE85};
}

/// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): from a counter of
/// four words to what is drawn there.
template <class Word>
std::array<Word, 4> philox_words(std::array<Word, 4> words, std::array<Word, 2> key) {
  for (int round = 0; round < kPhiloxRounds; ++round) {
    words = philox_round(words, key);
    key = next_key(key);
  }
  return words;
}

std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key);

/// The hash of no bytes.
constexpr std::uint64_t kFnv1aStart = 0xcbf29ce484222325;
/// FNV-1a, 64 bits, of the bytes behind those whose hash is `before`.
std::uint64_t fnv1a(std::string_view bytes, std::uint64_t before = kFnv1aStart);

/// The key of the stream of a path ("mlp.dense[0].W", "shuffle") with this seed: the first 64 bits of
/// philox(counter = FNV-1a 64 of the path, key = seed), low word first.
std::array<std::uint32_t, 2> stream_key(std::uint64_t seed, std::string_view path);

}  // namespace dlg
