// Catch2's main, compiled once, without the user's cache of objects.
#define CATCH_CONFIG_MAIN
#include <stdlib.h>

#include "tests/catch.h"

namespace {

/// Before any test runs: set but empty means no cache. Tests of the cache name a folder of their own.
[[maybe_unused]] const int kHasNoCache = ::setenv("DLG_CACHE_DIR", "", 1);

}  // namespace
