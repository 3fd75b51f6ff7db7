// Owns the command line of `dlg`: which verb is called, and its options read into what the verb declares.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "driver/cli/command_options.h"

namespace dlg {

class CommandLine;
struct Session;

/// A row of the table of verbs.
struct Verb {
  std::string_view name;
  std::string_view doc;  // in the help text
  /// Reads its options, which it alone knows, does its work and answers the exit code.
  int (*run)(Session& session, CommandLine& line);
};

/// The words of one call. A verb begins with
///
///   RunOptions chosen;
///   if (!line.read(session.file_options, chosen)) return line.exit_code();
class CommandLine {
 public:
  /// The help lists the verbs in their order. The session outlives the line.
  CommandLine(std::vector<std::string> words, std::span<const Verb> verbs, Session& session);
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  /// The verb that is called; null where the words ask for something else or are wrong: `read` says it.
  const Verb* verb() const { return verb_; }

  /// Declares these groups of options, in the order of the verb's help, and reads their values. False when
  /// the words already say everything (help, version, a usage error); then there is nothing to run.
  template <class... Groups>
  bool read(Groups&... groups) {
    (add_options(options(), groups), ...);
    return read_words();
  }

  bool is_read() const { return is_read_; }
  /// Of a line that was not read.
  int exit_code() const { return exit_code_; }

 private:
  struct Parser;

  CommandOptions& options();
  bool read_words();
  /// nullopt: all words have their place.
  std::optional<int> parse();

  std::vector<std::string> words_;
  std::span<const Verb> verbs_;
  Session& session_;
  const Verb* verb_ = nullptr;
  std::unique_ptr<Parser> parser_;
  bool is_read_ = false;
  int exit_code_ = 0;
};

}  // namespace dlg
