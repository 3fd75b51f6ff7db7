#include "driver/cli/command_options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <utility>

#include "driver/cli/usage.h"
#include "support/text.h"

namespace dlg {
namespace {

template <class Value>
CLI::Option* add(CLI::App& command, const OptionText& option, Value& value) {
  CLI::Option* added = command.add_option(option.name, value, option.doc);
  if (!option.value.empty()) added->type_name(option.value);
  return added->required(option.presence == Presence::kRequired);
}

}  // namespace

void CommandOptions::text(const OptionText& option, std::string& value) {
  add(command_, option, value);
}

void CommandOptions::text_or_alone(const OptionText& option, std::optional<std::string>& value) {
  add(command_, option, value)->expected(0, 1);
}

void CommandOptions::flag(const OptionText& option, std::function<void()> take) {
  bool& is_given = flags_.emplace_back(false);
  command_.add_flag(option.name, is_given, option.doc);
  readers_.emplace_back([&is_given, take = std::move(take)](const std::string&, std::ostream&) {
    if (is_given) take();
    return true;
  });
}

void CommandOptions::word(const OptionText& option, const std::vector<std::string>& words,
                          std::function<void(std::size_t place)> take) {
  std::string& word = words_.emplace_back();
  const CLI::Option* added =
      add(command_, option, word)->type_name(fmt::format("{{{}}}", join_text(words, ",")));
  readers_.emplace_back([&word, added, name = option.name, words, take = std::move(take)](
                            const std::string& help, std::ostream& err) {
    if (added->count() == 0) return true;
    if (!check_word({name, word, words}, help, err)) return false;
    take(static_cast<std::size_t>(std::find(words.begin(), words.end(), word) - words.begin()));
    return true;
  });
}

void CommandOptions::number(const OptionText& option, Range range, std::function<void(std::uint64_t)> take) {
  std::string& word = words_.emplace_back();
  const CLI::Option* added = add(command_, option, word)->type_name("NUMBER");
  readers_.emplace_back([&word, added, name = option.name, range, take = std::move(take)](
                            const std::string& help, std::ostream& err) {
    if (added->count() == 0) return true;
    const auto number = parse_whole({name, range.least, range.most}, word, help, err);
    if (number) take(*number);
    return number.has_value();
  });
}

void CommandOptions::pairs(const OptionText& option, EmptyKey rule,
                           std::function<void(const std::string& key, const std::string& value)> take) {
  std::vector<std::string>& list = lists_.emplace_back();
  add(command_, option, list)->take_all();
  readers_.emplace_back([&list, option, rule, take = std::move(take)](const std::string& help,
                                                                      std::ostream& err) {
    for (const std::string& word : list) {
      const std::size_t equals = word.find('=');
      if (equals == std::string::npos || (equals == 0 && rule == EmptyKey::kRefused)) {
        report_usage({"dlg", fmt::format("`{} {}` has no `=`; expected {}", option.name, word, option.value),
                      std::nullopt, help},
                     err);
        return false;
      }
      take(word.substr(0, equals), word.substr(equals + 1));
    }
    return true;
  });
}

void CommandOptions::needs(const std::string& option, const std::string& other) {
  command_.get_option(option)->needs(command_.get_option(other));
}

void CommandOptions::excludes(const std::string& option, const std::string& other) {
  command_.get_option(option)->excludes(command_.get_option(other));
}

bool CommandOptions::read(const std::string& help, std::ostream& err) const {
  return std::all_of(readers_.begin(), readers_.end(),
                     [&](const Reader& reader) { return reader(help, err); });
}

}  // namespace dlg
