// Owns how a line of source text is shown: tabs as blanks, what is too long cut around the place of interest.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace dlg {

/// A line of source and where its bytes stand on the terminal.
class ShownLine {
 public:
  /// Keeps the text near byte `focus` where the line is too long to be shown whole.
  ShownLine(std::string_view line, std::size_t focus);

  const std::string& text() const { return text_; }
  /// The display column, from 0, of byte `offset` of the line; the nearest end if it was cut away.
  std::size_t column(std::size_t offset) const;

 private:
  std::string_view line_;
  std::size_t begin_ = 0;  // the bytes that are shown
  std::size_t end_ = 0;
  std::string text_;
};

}  // namespace dlg
