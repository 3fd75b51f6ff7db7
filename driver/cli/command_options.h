// Owns the options of one command: how they are declared, and how their words become values once all are
// there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

namespace CLI {  // NOLINT(readability-identifier-naming): the library's
class App;
}  // namespace CLI

namespace dlg {

enum class Presence : std::uint8_t { kOptional, kRequired };

/// An option as help shows it.
struct OptionText {
  std::string name;  // "--out,-o"; "FILE": an argument
  std::string doc;
  std::string value = {};  // what stands for its value: "NUMBER"; empty: "TEXT"
  Presence presence = Presence::kOptional;
};

/// A group of options is a type with a function `add_options(CommandOptions&, Group&)`, which declares them
/// here. What is not given keeps its value.
class CommandOptions {
 public:
  explicit CommandOptions(CLI::App& command) : command_(command) {}
  CommandOptions(const CommandOptions&) = delete;
  CommandOptions& operator=(const CommandOptions&) = delete;

  void text(const OptionText& option, std::string& value);
  /// It may stand without a value, which is empty then.
  void text_or_alone(const OptionText& option, std::optional<std::string>& value);
  /// `take` is called if it is given.
  void flag(const OptionText& option, std::function<void()> take);
  /// One of `words`; `take` is given its place among them.
  void word(const OptionText& option, const std::vector<std::string>& words,
            std::function<void(std::size_t place)> take);
  /// The same, `words` in the order of the enumerators.
  template <class Enum>
  void choice(const OptionText& option, const std::vector<std::string>& words, Enum& value) {
    word(option, words, [&value](std::size_t place) { value = static_cast<Enum>(place); });
  }
  /// A whole number from `least` to `most`.
  struct Range {
    std::uint64_t least = 0;
    std::uint64_t most = 0;
  };
  void number(const OptionText& option, Range range, std::function<void(std::uint64_t)> take);
  /// `KEY=VALUE`, any number of times.
  enum class EmptyKey : std::uint8_t { kRefused, kTaken };
  void pairs(const OptionText& option, EmptyKey rule,
             std::function<void(const std::string& key, const std::string& value)> take);

  void needs(const std::string& option, const std::string& other);
  void excludes(const std::string& option, const std::string& other);

  /// Makes values of the words of a command line that was parsed. False after a message about the first that
  /// is wrong, in the order of help; `help` is the command that helps.
  bool read(const std::string& help, std::ostream& err) const;

 private:
  using Reader = std::function<bool(const std::string& help, std::ostream& err)>;

  CLI::App& command_;
  // What the parser writes to; the places stay.
  std::deque<std::string> words_;
  std::deque<std::vector<std::string>> lists_;
  std::deque<bool> flags_;
  std::vector<Reader> readers_;
};

}  // namespace dlg
