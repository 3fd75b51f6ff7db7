// Owns that a failed DLG_CHECK is a finding: libFuzzer keeps the input of a process that aborts, not of one
// that exits.
#include <cstdlib>

extern "C" [[noreturn]] void __wrap__Exit(int) {
  std::abort();
}
