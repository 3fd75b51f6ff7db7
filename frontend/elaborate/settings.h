// Owns `key = value` lists: unknown, missing and repeated keys with their suggestions; words and numbers as
// values.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "frontend/elaborate/elaboration.h"

namespace dlg {

/// Reports settings that stand twice; answers with the index of the first setting of each key, in the order
/// of the text.
std::vector<std::size_t> distinct_settings(Elaboration& e, const ast::SettingsBlock& block);

/// Reports `key` as unknown; answers with the nearest of `known`, which is suggested.
std::optional<std::string> report_unknown_setting(Elaboration& e, const ast::Name& key,
                                                  std::span<const std::string_view> known);

/// The text of a bare word (`none`); empty for anything else.
std::string_view word_of(const Elaboration& e, ast::ExprId id);

/// The name before the parenthesis of a call, or the word itself; empty for anything else.
std::string_view callee_of(const Elaboration& e, ast::ExprId id);

/// The value of a setting as a number or whole number of at least `least`. Errors name the setting.
std::optional<double> number_setting(Elaboration& e, ast::ExprId id, const std::string& key);
std::optional<std::int64_t> whole_setting(Elaboration& e, ast::ExprId id, const std::string& key,
                                          std::int64_t least);

/// Reports a value that the setting does not take.
void report_bad_setting(Elaboration& e, ast::ExprId id, const std::string& key, const std::string& expected);

}  // namespace dlg
