#include "ir/loop/verify_straight.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <string>

#include "ir/loop/counters.h"
#include "ir/loop/nest.h"
#include "ir/loop/operands.h"
#include "ir/loop/scalar_math.h"
#include "ir/loop/words.h"

namespace dlg::loop {
namespace {

using Failure = std::optional<std::string>;

/// Loops nest at most as deep as axes do.
bool has_vectors(const Body& body) {
  return std::any_of(body.begin(), body.end(), [](const Statement& s) {
    return !s.loop.empty() && (!s.loop.front().straight.empty() || has_vectors(s.loop.front().body));
  });
}

/// Every iteration once, in whole vectors of registers that no loop around has taken.
Failure verify_vectors(const Program& program, const Loop& loop) {
  if (!is_independent(loop.kind)) return "are iterations that wait for each other";
  if (has_vectors(loop.body)) return "have others inside: the lanes are taken";
  std::int64_t begin = 0;
  for (const Panel& panel : loop.straight) {
    const bool is_plain = panel.reach == 1 && panel.packed.empty() && panel.width >= 1;
    if (!is_plain || panel.end <= panel.begin || (panel.end - panel.begin) % panel.width != 0)
      return "are no whole vectors";
    if (panel.begin != begin) return fmt::format("leave out or repeat iteration {}", begin);
    begin = panel.end;
  }
  const bool are_all = begin == declared_extent(program, loop);
  return are_all ? Failure() : fmt::format("end at iteration {}", begin);
}

/// What is one vector: functions that wait for nothing of it.
Failure verify_group(std::span<const Statement> group) {
  if (!group.front().instruction) return "computes no instruction together with others";
  const Instruction& model = *group.front().instruction;
  for (const Statement& statement : group) {
    const Instruction& instruction = *statement.instruction;
    if (!is_elementary(model.op) || instruction.op != model.op || instruction.dtype != model.dtype)
      return fmt::format("%{} is no function like the one that it is computed with",
                         instruction.result.index);
    const bool waits = std::any_of(group.begin(), group.end(), [&](const Statement& other) {
      return std::ranges::find(instruction.args, other.instruction->result) != instruction.args.end();
    });
    if (waits) return fmt::format("%{} waits for what it is computed with", instruction.result.index);
  }
  return std::nullopt;
}

/// Of one kernel. Loops nest at most as deep as axes do.
class StraightVerifier {
 public:
  explicit StraightVerifier(const Program& program)
      : program_(program), is_straight_(program.schedule && program.schedule->form == StepForm::kStraight) {}

  Failure run(const Kernel& kernel, const Counted& counted) const {
    if (!is_straight_ && !kernel.ahead.empty()) return "is computed ahead in a step that has loops";
    for (const RegId reg : kernel.ahead) {
      if (!counted.contains(reg))
        return fmt::format("%{} is computed ahead, but does not follow from a counter alone", reg.index);
    }
    return verify_body(kernel.body);
  }

 private:
  Failure verify_body(const Body& body) const {
    for (std::size_t i = 0; i < body.size(); i += group_size(body, i)) {
      Failure failure;
      if (const std::size_t count = group_size(body, i); count > 1) {
        if (!is_straight_) return "computes functions together in a step that has loops";
        failure = verify_group(std::span(body).subspan(i, count));
      }
      if (!failure && !body[i].loop.empty()) failure = verify_loop(body[i].loop.front());
      if (failure) return failure;
    }
    return std::nullopt;
  }

  Failure verify_loop(const Loop& loop) const {
    if (!loop.straight.empty()) {
      if (!is_straight_) return "is written out in a step that has loops";
      if (Failure failure = verify_vectors(program_, loop))
        return fmt::format("the vectors of loop `{}` {}", loop.name, *failure);
    }
    Failure failure = verify_body(loop.body);
    return failure ? failure : verify_body(loop.combine);
  }

  const Program& program_;
  bool is_straight_;
};

}  // namespace

std::optional<BrokenLaw> verify_straight(const Program& program) {
  const StraightVerifier verifier(program);
  const bool is_ahead = std::any_of(program.kernels.begin(), program.kernels.end(),
                                    [](const Kernel& kernel) { return !kernel.ahead.empty(); });
  const std::vector<Counted> counted =
      is_ahead ? counted_registers(program) : std::vector<Counted>(program.kernels.size());
  for (std::size_t i = 0; i < program.kernels.size(); ++i) {
    const Kernel& kernel = program.kernels[i];
    if (Failure failure = verifier.run(kernel, counted[i])) {
      return BrokenLaw{fmt::format("kernel `{}`: {}", kernel.name, *failure),
                       "kernel " + name_word(kernel.name)};
    }
  }
  return std::nullopt;
}

}  // namespace dlg::loop
