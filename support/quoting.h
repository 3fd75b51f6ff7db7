// Owns how names of any bytes stand in the texts of the IRs.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace dlg {

/// `text` in quotes: `"` and `\` behind a backslash, control characters as `\x0a`.
std::string quoted(std::string_view text);

/// What stands in the quotes that begin at `at`, which lies behind them then. nullopt: they do not end on
/// their line, and `at` is as before.
std::optional<std::string> read_quoted(std::string_view text, std::size_t& at);

}  // namespace dlg
