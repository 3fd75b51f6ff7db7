// Owns `dlg-opt`: textual IR in, named passes, textual IR or interpreted values out.
#pragma once

#include <string>
#include <vector>

#include "driver/cli/session.h"

namespace dlg {

int run_opt(const std::vector<std::string>& arguments, Streams streams);

}  // namespace dlg
