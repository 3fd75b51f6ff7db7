// Where the sources are. Only one object knows it, so that a checkout in another folder finds all others in
// the compiler's cache.
#pragma once

#include <string>

namespace dlg::test {

/// The root of the sources, an absolute path.
std::string source_dir();

}  // namespace dlg::test
