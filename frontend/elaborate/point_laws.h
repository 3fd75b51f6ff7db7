// Owns which points of index notation count: all values of the letters at which every index lies inside of
// its axis and every guard holds.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "frontend/elaborate/letters.h"

namespace dlg {

/// What a point keeps: `index` is at least 0, and below `end` where that is not 0.
struct PointLaw {
  LetterIndex index;
  std::int64_t end = 0;
};

/// Those that some value of the letters breaks. All letters have sizes.
std::vector<PointLaw> breakable_laws(const std::vector<PointLaw>& laws, const std::vector<Letter>& letters);

/// Whether each element has a point that counts.
struct Emptiness {
  enum class Answer { kNowhere, kSomewhere, kTooManyPoints };
  Answer answer = Answer::kNowhere;
  std::string place = {};  // kSomewhere: "at i = 3", an element of which no point counts, or "everywhere"
};
Emptiness emptiness(const std::vector<PointLaw>& laws, const std::vector<Letter>& letters);

}  // namespace dlg
