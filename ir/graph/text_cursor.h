// Owns the words of textual IR, of graphs and of loops: names, numbers, lists and types at a place in a text,
// and the quoting of names.
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

/// What the texts of the IR do not have in common: what lies between words, and where words end.
struct Lexis {
  std::string_view blanks;
  bool has_comments = false;  // from `;` to the end of the line, which are blanks
  /// Bytes of the bare name at the start of `text`; 0: there is none.
  std::size_t (*name_size)(std::string_view text);
  /// Bytes of the word or the symbol at the start of `text`, which is not empty.
  std::size_t (*word_size)(std::string_view text);
};

/// One line of the text of a graph.
extern const Lexis kGraphLine;

/// Reads a text from left to right. Every reader skips blanks first; one that does not find its thing
/// answers nullopt and stays where it is.
class TextCursor {
 public:
  /// `text` begins at `text_begin` in `file`.
  TextCursor(std::string_view text, FileId file, std::uint32_t text_begin, const Lexis& lexis = kGraphLine)
      : text_(text), file_(file), text_begin_(text_begin), lexis_(&lexis) {}

  bool at_end();
  bool eat(std::string_view symbol);
  /// Only a whole word.
  bool eat_word(std::string_view word);
  std::optional<std::string> name();
  std::optional<double> number();
  std::optional<std::int64_t> integer();
  /// A whole word of digits.
  std::optional<std::int64_t> whole_number();
  std::optional<std::vector<double>> numbers();
  std::optional<std::vector<std::int64_t>> integers();
  /// `f32[*batch, 64]`; every extent is at least 1.
  std::optional<TensorType> type();
  std::optional<Shape> shape();

  /// The word or symbol that comes next, empty at the end; its place, and its text as a message shows it.
  std::string_view next_word();
  SourceRange next_range();
  std::string next_text(std::string_view at_end = "the end of the line");
  /// What stands behind `;` if that comes next on this line.
  std::string_view line_comment() const;
  std::size_t position() const { return position_; }
  /// From an earlier position to here.
  SourceRange range_since(std::size_t begin) const;
  void go_to_end() { position_ = text_.size(); }

 private:
  void skip_blanks();
  template <class T, class Read>
  std::optional<std::vector<T>> list(const Read& read);

  std::string_view text_;
  FileId file_;
  std::uint32_t text_begin_;
  const Lexis* lexis_;
  std::size_t position_ = 0;
};

}  // namespace dlg
