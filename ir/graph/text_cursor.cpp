#include "ir/graph/text_cursor.h"

#include <fmt/format.h>

#include <charconv>

#include "ir/graph/verify.h"
#include "support/quoting.h"
#include "support/text.h"

namespace dlg {
namespace {

constexpr std::string_view kNameEnds = " \t\r\n,={}:;\"";
constexpr std::string_view kNumberEnds = " \t\r\n,={}:;\"[]()";

std::size_t graph_name_size(std::string_view text) {
  return std::min(text.find_first_of(kNameEnds), text.size());
}

std::size_t graph_word_size(std::string_view text) {
  return std::max<std::size_t>(1, graph_name_size(text));
}

}  // namespace

constinit const Lexis kGraphLine{
    .blanks = " \t\r", .name_size = graph_name_size, .word_size = graph_word_size};

std::string quoted_name(std::string_view name) {
  if (!name.empty() && name.find_first_of(kNameEnds) == std::string_view::npos) return std::string(name);
  return quoted(name);
}

std::string list_text(const std::vector<double>& numbers) {
  std::string text = "[";
  for (const double number : numbers) {
    if (text.size() > 1) text += ", ";
    text += number_text(number);
  }
  return text + "]";
}

std::string list_text(const std::vector<std::int64_t>& numbers) {
  return fmt::format("[{}]", fmt::join(numbers, ", "));
}

std::size_t comment_start(std::string_view line) {
  bool is_quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (is_quoted && line[i] == '\\') {
      ++i;
    } else if (line[i] == '"') {
      is_quoted = !is_quoted;
    } else if (line[i] == ';' && !is_quoted) {
      return i;
    }
  }
  return line.size();
}

void TextCursor::skip_blanks() {
  while (true) {
    position_ = std::min(text_.find_first_not_of(lexis_->blanks, position_), text_.size());
    if (!lexis_->has_comments || position_ == text_.size() || text_[position_] != ';') return;
    position_ = std::min(text_.find_first_of("\r\n", position_), text_.size());
  }
}

bool TextCursor::at_end() {
  skip_blanks();
  return position_ == text_.size();
}

bool TextCursor::eat(std::string_view symbol) {
  skip_blanks();
  if (!text_.substr(position_).starts_with(symbol)) return false;
  position_ += symbol.size();
  return true;
}

bool TextCursor::eat_word(std::string_view word) {
  return next_word() == word && eat(word);
}

std::optional<std::string> TextCursor::name() {
  if (at_end()) return std::nullopt;
  if (text_[position_] == '"') return read_quoted(text_, position_);
  const std::size_t size = lexis_->name_size(text_.substr(position_));
  if (size == 0) return std::nullopt;
  position_ += size;
  return std::string(text_.substr(position_ - size, size));
}

std::optional<double> TextCursor::number() {
  skip_blanks();
  const std::size_t end = std::min(text_.find_first_of(kNumberEnds, position_), text_.size());
  const std::optional<double> value = parse_number(text_.substr(position_, end - position_));
  if (value) position_ = end;
  return value;
}

std::optional<std::int64_t> TextCursor::integer() {
  skip_blanks();
  std::int64_t value = 0;
  const char* begin = text_.data() + position_;
  const auto result = std::from_chars(begin, text_.data() + text_.size(), value);
  if (result.ec != std::errc()) return std::nullopt;
  position_ += static_cast<std::size_t>(result.ptr - begin);
  return value;
}

std::optional<std::int64_t> TextCursor::whole_number() {
  const std::string_view word = next_word();
  if (word.empty() || word.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  return integer();
}

template <class T, class Read>
std::optional<std::vector<T>> TextCursor::list(const Read& read) {
  const std::size_t begin = position_;
  std::vector<T> items;
  bool is_good = eat("[");
  if (is_good && eat("]")) return items;
  while (is_good) {
    std::optional<T> item = read();
    is_good = item.has_value();
    if (!is_good) break;
    items.push_back(*item);
    if (eat("]")) return items;
    is_good = eat(",");
  }
  position_ = begin;
  return std::nullopt;
}

std::optional<std::vector<double>> TextCursor::numbers() {
  return list<double>([&] { return number(); });
}

std::optional<std::vector<std::int64_t>> TextCursor::integers() {
  return list<std::int64_t>([&] { return integer(); });
}

std::optional<Shape> TextCursor::shape() {
  const auto extent = [&]() -> std::optional<std::int64_t> {
    if (eat("*batch")) return kBatch;
    const std::optional<std::int64_t> size = integer();
    return size && *size >= 1 && *size <= kMostElements ? size : std::nullopt;
  };
  std::optional<std::vector<std::int64_t>> dims = list<std::int64_t>(extent);
  if (!dims) return std::nullopt;
  return Shape(*std::move(dims));
}

std::optional<TensorType> TextCursor::type() {
  skip_blanks();
  const std::size_t begin = position_;
  const std::size_t bracket = std::min(text_.find('[', position_), text_.size());
  const std::optional<DType> dtype = parse_dtype(text_.substr(begin, bracket - begin));
  if (!dtype) return std::nullopt;
  position_ = bracket;
  std::optional<Shape> dims = shape();
  if (!dims) {
    position_ = begin;
    return std::nullopt;
  }
  return TensorType{*dtype, *std::move(dims)};
}

std::string_view TextCursor::next_word() {
  if (at_end()) return {};
  const std::string_view rest = text_.substr(position_);
  return rest.substr(0, lexis_->word_size(rest));
}

SourceRange TextCursor::next_range() {
  const auto size = static_cast<std::uint32_t>(next_word().size());
  const std::uint32_t begin = text_begin_ + static_cast<std::uint32_t>(position_);
  return {file_, begin, begin + size};
}

std::string TextCursor::next_text(std::string_view at_end) {
  const std::string_view word = next_word();
  return word.empty() ? std::string(at_end) : fmt::format("`{}`", word);
}

std::string_view TextCursor::line_comment() const {
  const std::size_t begin = text_.find_first_not_of(" \t", position_);
  if (begin == std::string_view::npos || text_[begin] != ';') return {};
  const std::string_view behind = text_.substr(begin + 1);
  return behind.substr(0, behind.find_first_of("\r\n"));
}

SourceRange TextCursor::range_since(std::size_t begin) const {
  return {file_, text_begin_ + static_cast<std::uint32_t>(begin),
          text_begin_ + static_cast<std::uint32_t>(position_)};
}

}  // namespace dlg
