// Owns what wrong words on a command line get: one line, the nearest right word, where help is.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {  // NOLINT(readability-identifier-naming): the library's
class App;
class ParseError;
}  // namespace CLI

namespace dlg {

/// What was wrong, which right words there are near it, and the program that was called (`dlg`).
struct UsageError {
  std::string_view program;
  std::string message;
  std::optional<std::string> suggestion;
  std::string help;  // the command that helps: `dlg train --help`
};

/// Prints the error; answers the exit code 2.
int report_usage(const UsageError& error, std::ostream& err);

/// The same for what the parser of the command line found.
int report_usage(const CLI::ParseError& error, const CLI::App& app, std::ostream& err);

/// Whether `word`, the value of `option`, is one of `words`; else it is reported.
struct WordChoice {
  std::string_view option;
  const std::string& word;
  const std::vector<std::string>& words;
};
bool check_word(const WordChoice& choice, const std::string& help, std::ostream& err);

/// The value of `option` as a whole number from `least` to `most`; nullopt after a message.
struct NumberRange {
  std::string_view option;
  std::uint64_t least = 0;
  std::uint64_t most = 0;
};
std::optional<std::uint64_t> parse_whole(const NumberRange& range, const std::string& text,
                                         const std::string& help, std::ostream& err);

}  // namespace dlg
