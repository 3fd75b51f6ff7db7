#include "frontend/text/characters.h"

#include <algorithm>
#include <array>

namespace dlg {
namespace {

constexpr std::array kLookAlikes = {
    LookAlike{0x00a0, LookAlikeKind::kBlank, " ", "a no-break space"},
    LookAlike{0x00b1, LookAlikeKind::kSymbol, "+-", "a plus-minus sign"},
    LookAlike{0x00b2, LookAlikeKind::kSymbol, "^2", "a superscript two"},
    LookAlike{0x00b3, LookAlikeKind::kSymbol, "^3", "a superscript three"},
    LookAlike{0x00b7, LookAlikeKind::kSymbol, "*", "a middle dot"},
    LookAlike{0x00d7, LookAlikeKind::kSymbol, "*", "a multiplication sign"},
    LookAlike{0x00f7, LookAlikeKind::kSymbol, "/", "a division sign"},
    LookAlike{0x0391, LookAlikeKind::kLetter, "A", "a Greek capital alpha"},
    LookAlike{0x0392, LookAlikeKind::kLetter, "B", "a Greek capital beta"},
    LookAlike{0x03b1, LookAlikeKind::kLetter, "alpha", "a Greek alpha"},
    LookAlike{0x03b2, LookAlikeKind::kLetter, "beta", "a Greek beta"},
    LookAlike{0x03b3, LookAlikeKind::kLetter, "gamma", "a Greek gamma"},
    LookAlike{0x03b4, LookAlikeKind::kLetter, "delta", "a Greek delta"},
    LookAlike{0x03b5, LookAlikeKind::kLetter, "epsilon", "a Greek epsilon"},
    LookAlike{0x03b7, LookAlikeKind::kLetter, "eta", "a Greek eta"},
    LookAlike{0x03b8, LookAlikeKind::kLetter, "theta", "a Greek theta"},
    LookAlike{0x03bb, LookAlikeKind::kLetter, "lambda", "a Greek lambda"},
    LookAlike{0x03bc, LookAlikeKind::kLetter, "mu", "a Greek mu"},
    LookAlike{0x03c0, LookAlikeKind::kLetter, "pi", "a Greek pi"},
    LookAlike{0x03c1, LookAlikeKind::kLetter, "rho", "a Greek rho"},
    LookAlike{0x03c3, LookAlikeKind::kLetter, "sigma", "a Greek sigma"},
    LookAlike{0x03c4, LookAlikeKind::kLetter, "tau", "a Greek tau"},
    LookAlike{0x0410, LookAlikeKind::kLetter, "A", "a Cyrillic A"},
    LookAlike{0x0412, LookAlikeKind::kLetter, "B", "a Cyrillic Ve"},
    LookAlike{0x0415, LookAlikeKind::kLetter, "E", "a Cyrillic Ie"},
    LookAlike{0x041a, LookAlikeKind::kLetter, "K", "a Cyrillic Ka"},
    LookAlike{0x041c, LookAlikeKind::kLetter, "M", "a Cyrillic Em"},
    LookAlike{0x041d, LookAlikeKind::kLetter, "H", "a Cyrillic En"},
    LookAlike{0x041e, LookAlikeKind::kLetter, "O", "a Cyrillic O"},
    LookAlike{0x0420, LookAlikeKind::kLetter, "P", "a Cyrillic Er"},
    LookAlike{0x0421, LookAlikeKind::kLetter, "C", "a Cyrillic Es"},
    LookAlike{0x0422, LookAlikeKind::kLetter, "T", "a Cyrillic Te"},
    LookAlike{0x0425, LookAlikeKind::kLetter, "X", "a Cyrillic Ha"},
    LookAlike{0x0430, LookAlikeKind::kLetter, "a", "a Cyrillic a"},
    LookAlike{0x0435, LookAlikeKind::kLetter, "e", "a Cyrillic ie"},
    LookAlike{0x043e, LookAlikeKind::kLetter, "o", "a Cyrillic o"},
    LookAlike{0x0440, LookAlikeKind::kLetter, "p", "a Cyrillic er"},
    LookAlike{0x0441, LookAlikeKind::kLetter, "c", "a Cyrillic es"},
    LookAlike{0x0443, LookAlikeKind::kLetter, "y", "a Cyrillic u"},
    LookAlike{0x0445, LookAlikeKind::kLetter, "x", "a Cyrillic ha"},
    LookAlike{0x0456, LookAlikeKind::kLetter, "i", "a Cyrillic i"},
    LookAlike{0x2002, LookAlikeKind::kBlank, " ", "an en space"},
    LookAlike{0x2003, LookAlikeKind::kBlank, " ", "an em space"},
    LookAlike{0x2007, LookAlikeKind::kBlank, " ", "a figure space"},
    LookAlike{0x2009, LookAlikeKind::kBlank, " ", "a thin space"},
    LookAlike{0x200a, LookAlikeKind::kBlank, " ", "a hair space"},
    LookAlike{0x2010, LookAlikeKind::kSymbol, "-", "a typographic hyphen"},
    LookAlike{0x2011, LookAlikeKind::kSymbol, "-", "a no-break hyphen"},
    LookAlike{0x2012, LookAlikeKind::kSymbol, "-", "a figure dash"},
    LookAlike{0x2013, LookAlikeKind::kSymbol, "-", "an en dash"},
    LookAlike{0x2014, LookAlikeKind::kSymbol, "-", "an em dash"},
    LookAlike{0x2018, LookAlikeKind::kQuote, "\"", "a typographic quote"},
    LookAlike{0x2019, LookAlikeKind::kQuote, "\"", "a typographic quote"},
    LookAlike{0x201c, LookAlikeKind::kQuote, "\"", "a typographic quote"},
    LookAlike{0x201d, LookAlikeKind::kQuote, "\"", "a typographic quote"},
    LookAlike{0x201e, LookAlikeKind::kQuote, "\"", "a typographic quote"},
    LookAlike{0x2026, LookAlikeKind::kSymbol, "...", "a typographic ellipsis"},
    LookAlike{0x202f, LookAlikeKind::kBlank, " ", "a narrow no-break space"},
    LookAlike{0x2190, LookAlikeKind::kSymbol, "<-", "an arrow"},
    LookAlike{0x2192, LookAlikeKind::kSymbol, "->", "an arrow"},
    LookAlike{0x2207, LookAlikeKind::kLetter, "grad", "a nabla"},
    LookAlike{0x2212, LookAlikeKind::kSymbol, "-", "a typographic minus sign"},
    LookAlike{0x2215, LookAlikeKind::kSymbol, "/", "a division slash"},
    LookAlike{0x2217, LookAlikeKind::kSymbol, "*", "an asterisk operator"},
    LookAlike{0x223c, LookAlikeKind::kSymbol, "~", "a tilde operator"},
    LookAlike{0x2248, LookAlikeKind::kSymbol, "~", "an almost-equal sign"},
    LookAlike{0x2260, LookAlikeKind::kSymbol, "!=", "a not-equal sign"},
    LookAlike{0x2264, LookAlikeKind::kSymbol, "<=", "a less-or-equal sign"},
    LookAlike{0x2265, LookAlikeKind::kSymbol, ">=", "a greater-or-equal sign"},
    LookAlike{0x22c5, LookAlikeKind::kSymbol, "*", "a dot operator"},
    LookAlike{0x3000, LookAlikeKind::kBlank, " ", "an ideographic space"},
};

constexpr bool is_before(const LookAlike& a, const LookAlike& b) {
  return a.character < b.character;
}
static_assert(std::is_sorted(kLookAlikes.begin(), kLookAlikes.end(), is_before));

constexpr char32_t kFirstFullwidth = 0xff01;
constexpr char32_t kLastFullwidth = 0xff5e;
/// The ASCII characters from `!` to `~`, which the fullwidth forms follow in order.
constexpr std::string_view kPrintable =
    "!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~";
static_assert(kPrintable.size() == kLastFullwidth - kFirstFullwidth + 1);

LookAlike fullwidth(char32_t c) {
  const std::string_view ascii = kPrintable.substr(c - kFirstFullwidth, 1);
  const bool is_letter = is_name_part(ascii[0]);
  const LookAlikeKind kind = ascii == "\"" ? LookAlikeKind::kQuote
                             : is_letter   ? LookAlikeKind::kLetter
                                           : LookAlikeKind::kSymbol;
  return {c, kind, ascii, "a fullwidth character"};
}

}  // namespace

std::optional<LookAlike> find_look_alike(char32_t c) {
  if (c >= kFirstFullwidth && c <= kLastFullwidth) return fullwidth(c);
  const LookAlike key{c, LookAlikeKind::kSymbol, "", ""};
  const auto* found = std::lower_bound(kLookAlikes.begin(), kLookAlikes.end(), key, is_before);
  if (found == kLookAlikes.end() || found->character != c) return std::nullopt;
  return *found;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool is_name_part(char c) {
  return is_name_start(c) || is_digit(c);
}

}  // namespace dlg
