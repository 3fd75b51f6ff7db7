#include "tests/mutations/mutator.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "support/text.h"

namespace dlg::test {
namespace {

bool is_word_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.';
}

struct Piece {
  std::size_t begin = 0;
  std::size_t size = 0;
};

/// A random word of the text: letters, digits, points.
Piece random_word(const std::string& text, Random& random) {
  std::size_t begin = random.below(text.size() + 1);
  while (begin < text.size() && !is_word_character(text[begin])) ++begin;
  while (begin > 0 && begin < text.size() && is_word_character(text[begin - 1])) --begin;
  std::size_t end = begin;
  while (end < text.size() && is_word_character(text[end])) ++end;
  return {begin, end - begin};
}

Piece random_piece(const std::string& text, Random& random, std::size_t longest) {
  const std::size_t begin = random.below(text.size() + 1);
  return {begin, std::min(random.below(longest) + 1, text.size() - begin)};
}

/// A random number of the text from some place on, or nothing.
Piece random_number(const std::string& text, Random& random) {
  std::size_t begin = random.below(text.size() + 1);
  while (begin < text.size() && std::isdigit(static_cast<unsigned char>(text[begin])) == 0) ++begin;
  std::size_t end = begin;
  while (end < text.size() && (is_word_character(text[end]))) ++end;
  return {begin, end - begin};
}

std::string inserted_sign(Random& random) {
  constexpr std::array<std::string_view, 34> kSigns{
      "(",   ")", "{", "}", "[", "]", ",", ":", "=",  ".",  "..", "|>",   "->",       "<-",           "+-",
      "~",   "+", "-", "*", "/", "@", "^", "#", "\"", "\n", "\t", "\r\n", "\xc3\xa9", "\xe2\x88\x92", " as ",
      "...", "<", ">", ";"};
  if (random.below(12) == 0) return std::string(1, static_cast<char>(random.below(256)));
  return std::string(kSigns[random.below(kSigns.size())]);
}

void nest(std::string& text, const Piece& piece, Random& random) {
  const std::size_t depth = random.below(300) + 1;
  const bool is_round = random.below(2) == 0;
  text.insert(piece.begin + piece.size, std::string(depth, is_round ? ')' : ']'));
  text.insert(piece.begin, std::string(depth, is_round ? '(' : '['));
}

}  // namespace

ProgramMutator::ProgramMutator(const std::vector<std::string>& programs) : programs_(programs) {
  for (const std::string& program : programs) {
    for (const std::string_view line : split_text(program, '\n')) lines_.emplace_back(line);
    std::string word;
    for (const char c : program + " ") {
      if (is_word_character(c)) {
        word += c;
      } else if (!word.empty()) {
        words_.push_back(word);
        word.clear();
      }
    }
  }
}

std::string ProgramMutator::changed(std::string text, Random& random,
                                    const std::vector<std::string>& numbers) const {
  const Piece word = random_word(text, random);
  const Piece piece = random_piece(text, random, 60);
  switch (random.below(9)) {
    case 0:
      text.resize(piece.begin);
      break;
    case 1:
      text.erase(piece.begin, piece.size);
      break;
    case 2:
      text.insert(random.below(text.size() + 1), text.substr(piece.begin, piece.size));
      break;
    case 3:
      text.replace(word.begin, word.size, words_[random.below(words_.size())]);
      break;
    case 4: {
      const Piece number = random_number(text, random);
      text.replace(number.begin, number.size, numbers[random.below(numbers.size())]);
      break;
    }
    case 5:
      text.insert(piece.begin, inserted_sign(random));
      break;
    case 6:
      if (piece.size > 0) text[piece.begin] = static_cast<char>(random.below(256));
      break;
    case 7:
      nest(text, word, random);
      break;
    default:
      text.insert(std::min(text.find('\n', piece.begin), text.size()),
                  "\n" + lines_[random.below(lines_.size())]);
      break;
  }
  return text;
}

std::string ProgramMutator::mutated(std::size_t program, Random& random,
                                    const std::vector<std::string>& numbers) const {
  std::string text = programs_[program];
  for (std::size_t i = random.below(3) + 1; i-- > 0;) text = changed(std::move(text), random, numbers);
  return text;
}

std::string mutated_bytes(std::string bytes, Random& random) {
  for (std::size_t i = random.below(4) + 1; i-- > 0;) {
    const Piece piece = random_piece(bytes, random, 16);
    switch (random.below(6)) {
      case 0:
        bytes.resize(piece.begin);
        break;
      case 1:
        bytes.erase(piece.begin, piece.size);
        break;
      case 2:
        bytes.insert(random.below(bytes.size() + 1), bytes.substr(piece.begin, piece.size));
        break;
      case 3:
        if (piece.size > 0) {
          bytes[piece.begin] = static_cast<char>(bytes[piece.begin] ^ (1 << random.below(8)));
        }
        break;
      case 4:
        std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(piece.begin), piece.size,
                    random.below(2) == 0 ? '\xff' : '\0');
        break;
      default:
        bytes.insert(piece.begin, inserted_sign(random));
        break;
    }
  }
  return bytes;
}

}  // namespace dlg::test
