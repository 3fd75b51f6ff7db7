// Owns the examples inside the program, from which `dlg new` starts. Embedded at build time from examples/.
#pragma once

#include <span>
#include <string_view>

namespace dlg {

struct ExampleFile {
  std::string_view name;  // "backprop/net.dlg"
  std::string_view text;
};

std::span<const ExampleFile> example_files();

}  // namespace dlg
