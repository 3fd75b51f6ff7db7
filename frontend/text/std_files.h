// Owns access to the standard library inside the program. Its texts are std/*.dlg, embedded at build time.
#pragma once

#include <span>
#include <string_view>

namespace dlg {

struct StdFile {
  std::string_view name;  // "std/layers.dlg"
  std::string_view text;
};

std::span<const StdFile> std_files();

}  // namespace dlg
