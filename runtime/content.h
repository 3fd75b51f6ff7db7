// Owns the shape of long contents that are nowhere in one piece.
#pragma once

#include <functional>
#include <string_view>

namespace dlg {

/// Takes some bytes; whether to go on.
using TakeBytes = std::function<bool(std::string_view)>;

/// Hands out all bytes in order, in pieces, until one is not taken; whether all were. Each call hands out the
/// same ones.
using Content = std::function<bool(const TakeBytes& take)>;

}  // namespace dlg
