#include "driver/cli/usage.h"

#include <fmt/ostream.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>

#include "driver/cli/session.h"
#include "support/diagnostic.h"
#include "support/text.h"

namespace dlg {
namespace {

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

/// The first option or argument that has to be given and was not.
const CLI::Option* missing_option(const CLI::App& app) {
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_required() && option->count() == 0) return option;
  }
  return nullptr;
}

/// The option that stands without its value: CLI11 names it at the start of its message.
const CLI::Option* option_without_value(const CLI::App& app, std::string_view what) {
  for (const CLI::Option* option : app.get_options()) {
    if (what.starts_with(option->get_name() + ":")) return option;
  }
  return nullptr;
}

UsageError unexpected_word(const CLI::App& app, const CLI::App& verb, UsageError error) {
  const std::vector<std::string> rest = app.remaining(true);
  const std::string word = rest.empty() ? "" : rest.front().substr(0, rest.front().find('='));
  error.message = fmt::format("unexpected `{}`", word);
  error.suggestion = nearest_name(word, option_names(verb));
  return error;
}

UsageError described(const CLI::ParseError& error, const CLI::App& app, const CLI::App& verb) {
  UsageError usage{app.get_name(), error.what(), std::nullopt, app.get_name() + " --help"};
  if (&verb != &app) usage.help = fmt::format("{} {} --help", app.get_name(), verb.get_name());
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) return unexpected_word(app, verb, usage);
  if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr) {
    const CLI::Option* option = missing_option(verb);
    usage.message = option == nullptr
                        ? "no command was given"
                        : fmt::format("`{}` is missing: {}", option->get_name(), option->get_description());
  }
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) {
    const CLI::Option* option = option_without_value(verb, error.what());
    if (option != nullptr) usage.message = fmt::format("`{}` stands without its value", option->get_name());
  }
  return usage;
}

}  // namespace

int report_usage(const UsageError& error, std::ostream& err) {
  fmt::print(err, "{}: {}\n", error.program, error.message);
  if (error.suggestion) fmt::print(err, "  did you mean `{}`?\n", *error.suggestion);
  fmt::print(err, "  try `{}`\n", error.help);
  return kExitUsage;
}

int report_usage(const CLI::ParseError& error, const CLI::App& app, std::ostream& err) {
  const std::vector<CLI::App*> chosen = app.get_subcommands();
  return report_usage(described(error, app, chosen.empty() ? app : *chosen.front()), err);
}

bool check_word(const WordChoice& choice, const std::string& help, std::ostream& err) {
  const std::vector<std::string>& words = choice.words;
  if (std::find(words.begin(), words.end(), choice.word) != words.end()) return true;
  report_usage(
      {"dlg", fmt::format("`{}` is `{}`, expected {}", choice.option, choice.word, join_words(words, " or ")),
       nearest_name(choice.word, words), help},
      err);
  return false;
}

std::optional<std::uint64_t> parse_whole(const NumberRange& range, const std::string& text,
                                         const std::string& help, std::ostream& err) {
  std::uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, value);
  const bool is_good =
      read.ec == std::errc() && read.ptr == end && value >= range.least && value <= range.most;
  if (is_good) return value;
  report_usage({"dlg",
                fmt::format("`{}` is `{}`, expected a whole number from {} to {}", range.option, text,
                            range.least, range.most),
                std::nullopt, help},
               err);
  return std::nullopt;
}

}  // namespace dlg
