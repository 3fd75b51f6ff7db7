// Owns the number literal: which texts are numbers, and what was meant by those that are none.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace dlg {

/// A stretch of text that begins like a number.
struct NumberScan {
  std::size_t length = 0;
  bool is_number = false;
  std::optional<std::string> meant;  // for a stretch that is no number
  std::string_view reason;           // the same; one sentence
};

/// Reads `digits [. digits] [e [+-] digits]` at the start of `text`, with everything that sticks to it.
NumberScan scan_number(std::string_view text);

enum class NumberFault { kNone, kTooLarge, kTooSmall, kInexactInteger };

/// Why the double nearest to the literal `text` must not stand for it: it is infinite, it is 0 although the
/// text is not, or it is an integer text beyond 2^53 that the double misses.
NumberFault number_fault(std::string_view text);

}  // namespace dlg
