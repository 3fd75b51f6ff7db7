// Owns how the fuzz targets of texts change them: word for word, bracket for bracket and line by line, so
// that much of what comes out is well-formed and reaches what stands behind the parser. One change in three
// is libFuzzer's own.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "tests/random_graphs/random.h"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace {

using dlg::test::Random;

/// Bytes [begin, end) of a text.
struct Piece {
  std::size_t begin = 0;
  std::size_t end = 0;
};

enum class WordKind : std::uint8_t { kName, kNumber, kSign };

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// The words of one kind. A sign is one character that is no blank.
std::vector<Piece> words_of(std::string_view text, WordKind wanted) {
  std::vector<Piece> words;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at++;
    const char first = text[begin];
    const WordKind kind = is_letter(first)  ? WordKind::kName
                          : is_digit(first) ? WordKind::kNumber
                                            : WordKind::kSign;
    const auto goes_on = [&](char c) {
      return is_digit(c) || (kind == WordKind::kName ? is_letter(c) : c == '.');
    };
    while (kind != WordKind::kSign && at < text.size() && goes_on(text[at])) ++at;
    const bool is_blank = first == ' ' || first == '\n' || first == '\t';
    if (kind == wanted && !is_blank) words.push_back({begin, at});
  }
  return words;
}

std::vector<Piece> lines_of(std::string_view text) {
  std::vector<Piece> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size() - 1) + 1;
    lines.push_back({at, end});
    at = end;
  }
  return lines;
}

/// What stands between brackets that belong together.
std::vector<Piece> groups_of(std::string_view text) {
  std::vector<Piece> groups;
  std::vector<std::size_t> open;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '(' || text[at] == '[') open.push_back(at + 1);
    if ((text[at] != ')' && text[at] != ']') || open.empty()) continue;
    groups.push_back({open.back(), at});
    open.pop_back();
  }
  return groups;
}

/// `text` with one of its pieces replaced by one of `other`; unchanged where there is none.
std::string exchanged(std::string_view text, const std::vector<Piece>& pieces, std::string_view other,
                      const std::vector<Piece>& others, Random& random) {
  std::string result(text);
  if (pieces.empty() || others.empty()) return result;
  const Piece from = pieces[random.below(pieces.size())];
  const Piece to = others[random.below(others.size())];
  return result.replace(from.begin, from.end - from.begin, other.substr(to.begin, to.end - to.begin));
}

std::string with_word(std::string_view text, std::string_view other, Random& random) {
  constexpr std::array<WordKind, 4> kKinds{WordKind::kName, WordKind::kName, WordKind::kNumber,
                                           WordKind::kSign};
  const WordKind kind = kKinds[random.below(kKinds.size())];
  return exchanged(text, words_of(text, kind), other, words_of(other, kind), random);
}

std::string with_group(std::string_view text, std::string_view other, Random& random) {
  return exchanged(text, groups_of(text), other, groups_of(other), random);
}

std::string with_line(std::string_view text, std::string_view other, Random& random) {
  std::vector<Piece> places = lines_of(text);
  // Half of the lines are put in, half take the place of another.
  if (random.below(2) == 0) {
    for (Piece& place : places) place.end = place.begin;
  }
  return exchanged(text, places, other, lines_of(other), random);
}

std::string without_line(std::string_view text, std::string_view, Random& random) {
  return exchanged(text, lines_of(text), "", {{0, 0}}, random);
}

using Change = std::string (*)(std::string_view text, std::string_view other, Random& random);
constexpr std::array<Change, 5> kChanges{with_word, with_word, with_group, with_line, without_line};

std::string_view view(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// `text` with one to three changes by pieces of `other`, into `out`; its size.
std::size_t changed(std::string_view text, std::string_view other, std::uint8_t* out, std::size_t max_size,
                    unsigned seed) {
  Random random(seed);
  std::string result(text);
  for (std::size_t i = 0, count = 1 + random.below(3); i < count; ++i) {
    result = kChanges[random.below(kChanges.size())](result, other, random);
  }
  result.resize(std::min(result.size(), max_size));
  std::memcpy(out, result.data(), result.size());
  return result.size();
}

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned seed) {
  if (seed % 3 == 0 || size == 0) return LLVMFuzzerMutate(data, size, max_size);
  const std::string text(view(data, size));
  return changed(text, text, data, max_size, seed);
}

extern "C" std::size_t LLVMFuzzerCustomCrossOver(const std::uint8_t* first, std::size_t first_size,
                                                 const std::uint8_t* second, std::size_t second_size,
                                                 std::uint8_t* out, std::size_t max_size, unsigned seed) {
  return changed(view(first, first_size), view(second, second_size), out, max_size, seed);
}
