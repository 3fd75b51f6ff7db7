// Owns one printed line that is composed by columns and styles.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace dlg {

enum class Style { kPlain, kBold, kError, kWarning, kNote, kGutter, kLabel, kHelp };

/// Cells by display column; later texts overwrite earlier ones.
class TextRow {
 public:
  /// Writes `text` from `column` on; what lies between is blank. Control characters become U+FFFD.
  void put(std::size_t column, std::string_view text, Style style);
  /// Behind everything that is there.
  void append(std::string_view text, Style style) { put(cells_.size(), text, style); }

  /// Without blanks at the end, with a newline; styles become ANSI sequences.
  std::string with_color() const;
  /// The same without styles.
  std::string without_color() const;

 private:
  struct Cell {
    std::string text = " ";  // empty: the right half of a wide character
    Style style = Style::kPlain;
  };
  std::vector<Cell> trimmed() const;

  std::vector<Cell> cells_;
};

}  // namespace dlg
