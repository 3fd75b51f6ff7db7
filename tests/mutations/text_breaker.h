// Owns the breaking of one thing in a text of the IR: each way stands for a kind of mistake.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/random_graphs/random.h"

namespace dlg::test {

using Lines = std::vector<std::string>;

/// One way to break a text. False: the text has nothing of that kind.
struct TextBreak {
  std::string_view name;
  bool (*run)(Lines& lines, Random& random);
};

/// Types, attributes, operands, names, numbers, the batch, outputs, effects, kernels, whole lines.
const std::vector<TextBreak>& text_breaks();

Lines lines_of(const std::string& text);
std::string text_of(const Lines& lines);

}  // namespace dlg::test
