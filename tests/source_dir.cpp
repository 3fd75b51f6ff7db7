#include "tests/source_dir.h"

namespace dlg::test {

std::string source_dir() {
  return DLG_SOURCE_DIR;
}

}  // namespace dlg::test
