// Owns what is done about an error that LLVM answers: it is ours.
#pragma once

#include <fmt/format.h>
#include <llvm/Support/Error.h>

#include <string>
#include <string_view>

#include "support/check.h"

namespace dlg {

template <class T>
T checked(llvm::Expected<T> value, std::string_view what) {
  if (value) return std::move(*value);
  const std::string reason = llvm::toString(value.takeError());
  DLG_CHECK(false, fmt::format("{}: {}", what, reason));
}

}  // namespace dlg
