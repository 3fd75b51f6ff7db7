#include "support/check.h"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <vector>

namespace dlg {
namespace {

std::vector<std::string>& open_contexts() {
  thread_local std::vector<std::string> contexts;
  return contexts;
}

constexpr int kInternalErrorExit = 70;

}  // namespace

CheckContext::CheckContext(std::string what) {
  open_contexts().push_back(std::move(what));
}

CheckContext::~CheckContext() {
  open_contexts().pop_back();
}

void check_failed(std::string_view condition, std::string_view file, int line, std::string_view message) {
  fmt::print(stderr, "dlg: internal error: {}\n  check `{}` failed at {}:{}\n", message, condition, file,
             line);
  for (const std::string& context : open_contexts()) fmt::print(stderr, "  in {}\n", context);
  fmt::print(stderr, "This is a bug of dlg, not of your program. Please report it with the program.\n");
  std::fflush(nullptr);
  std::_Exit(kInternalErrorExit);
}

}  // namespace dlg
