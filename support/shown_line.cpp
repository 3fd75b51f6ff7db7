#include "support/shown_line.h"

#include <algorithm>

#include "support/unicode.h"

namespace dlg {
namespace {

constexpr std::size_t kLongestLine = 140;
constexpr std::size_t kBeforeFocus = 60;
constexpr std::string_view kCut = "...";
constexpr std::string_view kTab = "    ";

std::size_t character_start(std::string_view line, std::size_t offset) {
  while (offset > 0 && offset < line.size() && is_continuation_byte(line[offset])) --offset;
  return offset;
}

}  // namespace

ShownLine::ShownLine(std::string_view line, std::size_t focus) : line_(line), end_(line.size()) {
  if (line.size() > kLongestLine) {
    begin_ = character_start(line, focus > kBeforeFocus ? focus - kBeforeFocus : 0);
    end_ = character_start(line, std::min(line.size(), begin_ + kLongestLine));
  }
  if (begin_ > 0) text_ += kCut;
  for (const char c : line.substr(begin_, end_ - begin_))
    text_ += c == '\t' ? std::string(kTab) : std::string(1, c);
  if (end_ < line.size()) text_ += kCut;
}

std::size_t ShownLine::column(std::size_t offset) const {
  const std::size_t stop = std::clamp(offset, begin_, end_);
  std::size_t column = begin_ > 0 ? kCut.size() : 0;
  for (std::size_t at = begin_; at < stop;) {
    const CodePoint point = decode_utf8(line_, at).value_or(CodePoint{});
    const bool is_plain = line_[at] != '\t' && !is_invisible(point.value);
    column += line_[at] == '\t' ? kTab.size()
              : is_plain        ? static_cast<std::size_t>(display_width(point.value))
                                : 1;
    at += point.length;
  }
  return column;
}

}  // namespace dlg
