// Catch2's main, compiled once, without the user's cache of objects.
#define CATCH_CONFIG_MAIN
#include <stdlib.h>

#include <clocale>
#include <locale>

#include "tests/catch.h"

namespace {

/// Before any test runs: set but empty means no cache. Tests of the cache name a folder of their own.
[[maybe_unused]] const int kHasNoCache = ::setenv("DLG_CACHE_DIR", "", 1);

/// DLG_TEST_LOCALE: all tests run as in a program whose numbers have a decimal comma. The system's own
/// messages stay English, because golden files quote them.
bool set_locale() {
  const char* name = ::getenv("DLG_TEST_LOCALE");
  if (name == nullptr) return false;
  if (std::setlocale(LC_ALL, name) == nullptr) ::abort();
  std::locale::global(std::locale(name));
  std::setlocale(LC_MESSAGES, "C");
  return true;
}
[[maybe_unused]] const bool kHasLocale = set_locale();

}  // namespace
