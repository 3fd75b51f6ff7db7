// Owns the words of the textual IR: names, numbers, lists and types at a place in one line, and the quoting
// of names.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ir/graph/types.h"
#include "support/source.h"

namespace dlg {

/// `name` as it stands in textual IR: in quotes if it holds blanks or one of , = { } : ; ".
std::string quoted_name(std::string_view name);

/// The text of a list of numbers: "[0.5, 1]".
std::string list_text(const std::vector<double>& numbers);
std::string list_text(const std::vector<std::int64_t>& numbers);

/// Where the comment of a line begins (its `;` outside of quotes), or the line's length.
std::size_t comment_start(std::string_view line);

/// Reads one line from left to right. Every reader skips blanks first; one that does not find its thing
/// answers nullopt and stays where it is.
class TextCursor {
 public:
  TextCursor(std::string_view line, FileId file, std::uint32_t line_begin)
      : line_(line), file_(file), line_begin_(line_begin) {}

  bool at_end();
  bool eat(std::string_view symbol);
  std::optional<std::string> name();
  std::optional<double> number();
  std::optional<std::int64_t> integer();
  std::optional<std::vector<double>> numbers();
  std::optional<std::vector<std::int64_t>> integers();
  /// `f32[*batch, 64]`; every extent is at least 1.
  std::optional<TensorType> type();
  std::optional<Shape> shape();

  /// The place of the word that comes next, and its text as a message shows it ("the end of the line").
  SourceRange next_range();
  std::string next_text();
  std::size_t position() const { return position_; }
  /// From an earlier position to here.
  SourceRange range_since(std::size_t begin) const;

 private:
  void skip_blanks();
  std::string_view next_word();
  template <class T, class Read>
  std::optional<std::vector<T>> list(const Read& read);

  std::string_view line_;
  FileId file_;
  std::uint32_t line_begin_;
  std::size_t position_ = 0;
};

}  // namespace dlg
