// Owns random changes of texts and bytes: cut, moved, doubled, mixed, with numbers and signs that nobody
// writes.
#pragma once

#include <string>
#include <vector>

#include "tests/random_graphs/random.h"

namespace dlg::test {

/// Changes programs; words and lines come from all of them.
class ProgramMutator {
 public:
  explicit ProgramMutator(const std::vector<std::string>& programs);

  /// One program with one to three changes. `numbers` replace numbers.
  std::string mutated(std::size_t program, Random& random, const std::vector<std::string>& numbers) const;

 private:
  std::string changed(std::string text, Random& random, const std::vector<std::string>& numbers) const;

  std::vector<std::string> programs_;
  std::vector<std::string> words_;
  std::vector<std::string> lines_;
};

/// Bytes with one to four changes.
std::string mutated_bytes(std::string bytes, Random& random);

}  // namespace dlg::test
