// Owns the proof that a value which is lost without an error ends dlg with the code of its own mistakes.
#include "frontend/elaborate/elaboration.h"
#include "tests/random_graphs/child.h"
#include "tests/unit/frontend/compiled.h"

namespace {

using namespace dlg;

/// How a child ends that looks whether all lost values were reported.
test::ChildResult looked_at(const Elaboration& e, const Diagnostics& all) {
  return test::run_in_child(
      [&] {
        e.check_reported(all);
        return std::string("all were");
      },
      60);
}

constexpr Diag<> kSomething{DiagCode::UnknownName, Severity::kError, "something"};

TEST_CASE("a lost value without an error is a mistake of dlg, one with an error is the user's") {
  Sources sources;
  const FileId file = sources.add("t.dlg", "dlg 1\nx = y\n");
  const SourceRange place{file, 10, 11};
  Library library;
  library.user_units.emplace_back();
  Graph graph;
  Builder builder(graph);
  Diagnostics diagnostics;
  Elaboration e(sources, library, builder, diagnostics, DType::kF32);
  CHECK(looked_at(e, diagnostics).answer == "all were");
  e.note_loss_of(place);
  const test::ChildResult silent = looked_at(e, diagnostics);
  CHECK(silent.exit_code == 70);
  CHECK(silent.answer.find("t.dlg:2: `y` has no value") != std::string::npos);
  diagnostics.report(place, kSomething);
  CHECK(looked_at(e, diagnostics).answer == "all were");
}

TEST_CASE("a value that is lost behind an error needs none of its own") {
  Sources sources;
  const FileId file = sources.add("t.dlg", "dlg 1\nx = y\n");
  Library library;
  library.user_units.emplace_back();
  Graph graph;
  Builder builder(graph);
  Diagnostics trial;
  Elaboration e(sources, library, builder, trial, DType::kF32);
  trial.report({file, 10, 11}, kSomething);
  e.note_loss_of({file, 6, 7});
  // The errors of a candidate that did not fit are dropped, and what was lost in it as well.
  CHECK(looked_at(e, Diagnostics()).answer == "all were");
}

}  // namespace
