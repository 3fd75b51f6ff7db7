#include "passes/schedule/straight.h"

#include <algorithm>

#include "ir/loop/nest.h"
#include "ir/loop/operands.h"

namespace dlg {
namespace {

using loop::Loop;

/// Whether the iterations are independent and no loop inside has such iterations too.
bool is_innermost(const Loop& loop) {
  return loop::is_independent(loop.kind) &&
         std::none_of(loop.body.begin(), loop.body.end(), [](const loop::Statement& s) {
           return !s.loop.empty() && loop::is_independent(s.loop.front().kind);
         });
}

/// Whole vectors as far as they go, then ever shorter ones: two elements side by side cost what one does.
std::vector<loop::Panel> vectors_of(std::int64_t extent, std::int64_t most_lanes) {
  std::vector<loop::Panel> panels;
  std::int64_t begin = 0;
  for (std::int64_t lanes = most_lanes; begin < extent; lanes /= 2) {
    const std::int64_t end = begin + (extent - begin) / lanes * lanes;
    if (end == begin) continue;
    panels.push_back({.begin = begin, .end = end, .width = static_cast<unsigned>(lanes)});
    begin = end;
  }
  return panels;
}

class StraightScheduler {
 public:
  StraightScheduler(const loop::Program& program, const loop::Core& core) : program_(program), core_(core) {}

  /// Inside a loop of vectors the lanes are taken already. Loops nest at most as deep as axes do.
  void visit(loop::Body& body) const {
    for (loop::Statement& statement : body) {
      for (Loop& inner : statement.loop) {
        if (is_innermost(inner)) {
          inner.straight = vectors_of(loop::declared_extent(program_, inner),
                                      core_.vector_bytes / loop::widest_element(inner.body));
        } else {
          visit(inner.body);
        }
      }
    }
  }

 private:
  const loop::Program& program_;
  const loop::Core& core_;
};

}  // namespace

void schedule_straight(loop::Program& program, const loop::Core& core) {
  const StraightScheduler scheduler(program, core);
  for (loop::Kernel& kernel : program.kernels) scheduler.visit(kernel.body);
}

}  // namespace dlg
