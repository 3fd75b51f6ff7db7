// Owns the waking of seeded defects. Only tests may include this header: tools/check_layers.py sees to it, so
// no option and no variable of the dlg program leads here.
#pragma once

#include "support/defects.h"

namespace dlg {

/// The compiler has this mistake while the object lives. At most one lives at a time.
class AwakeDefect {
 public:
  explicit AwakeDefect(Defect defect);
  ~AwakeDefect();
  AwakeDefect(const AwakeDefect&) = delete;
  AwakeDefect& operator=(const AwakeDefect&) = delete;
};

}  // namespace dlg
