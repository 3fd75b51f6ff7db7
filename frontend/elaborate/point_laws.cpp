#include "frontend/elaborate/point_laws.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "support/text.h"

namespace dlg {
namespace {

using Answer = Emptiness::Answer;

/// More points than this are not looked at one by one.
constexpr std::int64_t kMostPoints = std::int64_t{1} << 26U;

bool has_letter(const PointLaw& law, std::size_t letter) {
  return std::any_of(law.index.terms.begin(), law.index.terms.end(),
                     [&](const LetterIndex::Term& term) { return term.letter == letter; });
}

/// Counts through the values of some letters; the last one fastest.
class Walk {
 public:
  Walk(const std::vector<std::size_t>& some, const std::vector<Letter>& letters)
      : some_(some), letters_(letters) {}

  void begin(std::vector<std::int64_t>& values) const {
    for (const std::size_t letter : some_) values[letter] = 0;
  }
  bool next(std::vector<std::int64_t>& values) const {
    for (std::size_t i = some_.size(); i-- > 0;) {
      if (++values[some_[i]] < letters_[some_[i]].axis->size) return true;
      values[some_[i]] = 0;
    }
    return false;
  }

 private:
  const std::vector<std::size_t>& some_;
  const std::vector<Letter>& letters_;
};

/// Laws that share letters, looked at together.
class LawGroup {
 public:
  LawGroup(std::vector<PointLaw> laws, const std::vector<Letter>& letters)
      : laws_(std::move(laws)), letters_(letters), values_(letters.size(), 0) {
    for (const PointLaw& law : laws_) {
      for (const LetterIndex::Term& term : law.index.terms) note(term.letter);
    }
  }

  /// Takes the points that it looks at from `budget`.
  Emptiness emptiness(std::int64_t& budget) {
    const Walk outside(outer_, letters_);
    outside.begin(values_);
    do {
      const bool is_empty = !has_point(budget);
      if (budget <= 0) return {Answer::kTooManyPoints};
      if (is_empty) return {Answer::kSomewhere, place()};
    } while (outside.next(values_));
    return {};
  }

 private:
  void note(std::size_t letter) {
    std::vector<std::size_t>& side = letters_[letter].is_summed ? inner_ : outer_;
    if (std::find(side.begin(), side.end(), letter) == side.end()) side.push_back(letter);
  }

  bool has_point(std::int64_t& budget) {
    const Walk inside(inner_, letters_);
    inside.begin(values_);
    do {
      if (holds()) return true;
    } while (--budget > 0 && inside.next(values_));
    return false;
  }

  bool holds() const {
    return std::all_of(laws_.begin(), laws_.end(), [&](const PointLaw& law) {
      std::int64_t index = law.index.constant;
      for (const LetterIndex::Term& term : law.index.terms) index += term.factor * values_[term.letter];
      return index >= 0 && (law.end == 0 || index < law.end);
    });
  }

  std::string place() const {
    std::vector<std::string> places;
    for (const std::size_t letter : outer_)
      places.push_back(fmt::format("{} = {}", letters_[letter].name, values_[letter]));
    return places.empty() ? "everywhere" : "at " + join_words(places);
  }

  std::vector<PointLaw> laws_;
  const std::vector<Letter>& letters_;
  std::vector<std::size_t> outer_;
  std::vector<std::size_t> inner_;
  std::vector<std::int64_t> values_;
};

/// Takes a law out of `open` with all that share letters with it, also through others.
std::vector<PointLaw> take_group(std::vector<PointLaw>& open) {
  std::vector<PointLaw> group{open.back()};
  open.pop_back();
  for (std::size_t i = 0; i < group.size(); ++i) {
    const std::vector<LetterIndex::Term> terms = group[i].index.terms;
    const auto stays = std::stable_partition(open.begin(), open.end(), [&](const PointLaw& law) {
      return std::none_of(terms.begin(), terms.end(),
                          [&](const LetterIndex::Term& term) { return has_letter(law, term.letter); });
    });
    group.insert(group.end(), stays, open.end());
    open.erase(stays, open.end());
  }
  return group;
}

}  // namespace

std::vector<PointLaw> breakable_laws(const std::vector<PointLaw>& laws, const std::vector<Letter>& letters) {
  std::vector<PointLaw> breakable;
  for (const PointLaw& law : laws) {
    std::int64_t least = law.index.constant;
    std::int64_t most = law.index.constant;
    for (const LetterIndex::Term& term : law.index.terms) {
      const std::int64_t reach = term.factor * (letters[term.letter].axis->size - 1);
      (reach < 0 ? least : most) += reach;
    }
    if (least < 0 || (law.end > 0 && most >= law.end)) breakable.push_back(law);
  }
  return breakable;
}

Emptiness emptiness(const std::vector<PointLaw>& laws, const std::vector<Letter>& letters) {
  std::vector<PointLaw> open = breakable_laws(laws, letters);
  std::int64_t budget = kMostPoints;
  while (!open.empty()) {
    const Emptiness found = LawGroup(take_group(open), letters).emptiness(budget);
    if (found.answer != Answer::kNowhere) return found;
  }
  return {};
}

}  // namespace dlg
