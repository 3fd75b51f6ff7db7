// Owns what measures a part of the data: the program that runs over its rows, and what sees all of them.
#pragma once

#include <memory>
#include <utility>

#include "driver/engine/machine.h"
#include "driver/engine/whole_machine.h"

namespace dlg {

class Evaluator {
 public:
  /// `whole` is null where no metric sees a whole part.
  Evaluator(std::unique_ptr<Machine> rows, std::unique_ptr<WholeMachine> whole)
      : rows_(std::move(rows)), whole_(std::move(whole)) {}

  Machine& rows() const { return *rows_; }
  WholeMachine* whole() const { return whole_.get(); }

  void set_states(const StateValues& values) { rows_->set_states(values); }
  void copy_states(const StateViews& states) { rows_->copy_states(states); }

 private:
  std::unique_ptr<Machine> rows_;
  std::unique_ptr<WholeMachine> whole_;
};

}  // namespace dlg
