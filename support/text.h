// Owns small text helpers: exact number text that no locale can change, lists, words, text inside of markup.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dlg {

/// The shortest decimal text that reads back to the same double; "inf", "-inf", "nan" (of either sign)
/// for the rest.
std::string number_text(double value);

/// The number as a user reads it, to so many significant digits, as `number_text` otherwise.
std::string rounded_text(double value, int digits);

/// Reads the whole of `text` as a decimal double; "1e999" and trailing characters are refused.
std::optional<double> parse_number(std::string_view text);

/// One unit of the last digit that is written: 0.01 for "0.59", 1e-4 for "1.5e-3"; nullopt: no plain decimal
/// number.
std::optional<double> last_digit_unit(std::string_view text);

/// "a, b and c".
std::string join_words(const std::vector<std::string>& words, std::string_view last_separator = " and ");

/// "a, b, c" with any separator.
std::string join_text(const std::vector<std::string>& parts, std::string_view separator);

/// The parts of `text` between separators; an empty text has one empty part.
std::vector<std::string_view> split_text(std::string_view text, char separator);

/// Without blanks at both ends.
std::string_view trim(std::string_view text);

/// "1 step", "2 steps".
std::string counted(long long count, std::string_view noun);

/// `text` inside of SVG or HTML.
std::string escaped_markup(std::string_view text);

/// Bytes as letters, four for three bytes (RFC 4648, with `=` at the end).
std::string base64_text(std::string_view bytes);

}  // namespace dlg
