#include "passes/lower/kernel_builder.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <limits>
#include <numeric>

#include "support/arithmetic.h"
#include "support/check.h"

namespace dlg {
namespace {

Key key_of(const loop::Instruction& instruction) {
  Key key{static_cast<std::int64_t>(instruction.op), static_cast<std::int64_t>(instruction.dtype),
          std::bit_cast<std::int64_t>(instruction.number), instruction.buffer.index, instruction.value.index};
  for (const loop::RegId arg : instruction.args) key.push_back(arg.index);
  for (const loop::Index& index : instruction.indices) append(key, index);
  return key;
}

std::string loop_name(std::int64_t extent, std::size_t depth) {
  constexpr std::string_view kNames = "ijklmnpqrstuvw";
  return extent == kBatch ? "b" : std::string(1, kNames[std::min(depth, kNames.size() - 1)]);
}

/// What is 0 in each iteration of `loop`: with `divisor * v >= sum` and `divisor * v <= sum` as its bounds
/// their difference.
std::vector<loop::Index> zeros_of(const loop::Loop& loop) {
  std::vector<loop::Index> zeros;
  for (const loop::Bound& low : loop.lower) {
    const auto leaves_one = [&](const loop::Bound& high) {
      loop::Index end = low.value;
      end.offset += low.divisor;
      return canonical(high.value) == canonical(end) && high.divisor == low.divisor && high.rows == low.rows;
    };
    if (low.rows != 0 || std::none_of(loop.upper.begin(), loop.upper.end(), leaves_one)) continue;
    loop::Index zero = low.value;
    zero.terms.push_back({loop.var, -low.divisor});
    zeros.push_back(canonical(std::move(zero)));
  }
  return zeros;
}

}  // namespace

loop::Index canonical(loop::Index index) {
  auto& terms = index.terms;
  std::sort(terms.begin(), terms.end(), [](const auto& a, const auto& b) { return a.var < b.var; });
  std::vector<loop::Index::Term> joined;
  for (const loop::Index::Term& term : terms) {
    if (!joined.empty() && joined.back().var == term.var) {
      joined.back().factor += term.factor;
    } else {
      joined.push_back(term);
    }
  }
  std::erase_if(joined, [](const auto& term) { return term.factor == 0; });
  index.terms = std::move(joined);
  return index;
}

void append(Key& key, const loop::Index& index) {
  key.push_back(static_cast<std::int64_t>(index.terms.size()));
  for (const loop::Index::Term& term : index.terms) {
    key.push_back(term.var.index);
    key.push_back(term.factor);
  }
  key.push_back(index.dynamic.index);
  key.push_back(index.offset);
}

KernelBuilder::KernelBuilder() : current_(&root_) {}

BodyFrame& KernelBuilder::frame_of(const loop::Index& index) {
  BodyFrame* frame = &root_;
  for (const loop::Index::Term& term : index.terms) frame = &deeper(*frame, *frame_of_var_[term.var]);
  if (index.dynamic.is_valid()) frame = &deeper(*frame, *frame_of_register_[index.dynamic]);
  return *frame;
}

BodyFrame& KernelBuilder::frame_of(std::span<const loop::Index> at) {
  BodyFrame* frame = &root_;
  for (const loop::Index& index : at) frame = &deeper(*frame, frame_of(index));
  return *frame;
}

loop::RegId KernelBuilder::new_register() {
  return frame_of_register_.add(current_);
}

bool KernelBuilder::tells_apart(std::span<const loop::Index> at) const {
  return std::all_of(at.begin(), at.end(), [&](const loop::Index& index) {
    std::vector<loop::Index::Term> terms = index.terms;
    std::sort(terms.begin(), terms.end(),
              [](const auto& a, const auto& b) { return std::abs(a.factor) < std::abs(b.factor); });
    std::int64_t spread = 0;
    for (const auto& [var, factor] : terms) {
      if (std::abs(factor) <= spread) return false;
      const bool is_batch = extents_[var] == kBatch;
      const std::int64_t steps = is_batch ? std::numeric_limits<std::int64_t>::max() : extents_[var] - 1;
      spread = saturated_add(spread, saturated_mul(std::abs(factor), steps));
    }
    return true;
  });
}

bool KernelBuilder::settles(std::span<const loop::Index> at, loop::VarId var) const {
  const auto stands = [at](loop::VarId other) {
    return std::any_of(at.begin(), at.end(), [&](const loop::Index& index) {
      return std::any_of(index.terms.begin(), index.terms.end(),
                         [&](const loop::Index::Term& term) { return term.var == other; });
    });
  };
  const auto has_no_other = [&](const loop::Index& zero) {
    const auto is_var = [var](const loop::Index::Term& term) { return term.var == var; };
    return std::any_of(zero.terms.begin(), zero.terms.end(), is_var) &&
           std::all_of(zero.terms.begin(), zero.terms.end(),
                       [&](const loop::Index::Term& term) { return is_var(term) || stands(term.var); });
  };
  if (stands(var)) return true;
  for (const BodyFrame* frame = current_; frame != nullptr; frame = frame->parent) {
    if (std::any_of(frame->zeros.begin(), frame->zeros.end(), has_no_other)) return true;
  }
  return false;
}

loop::VarId KernelBuilder::new_var() {
  extents_.add(1);
  return frame_of_var_.add(current_);
}

loop::RegId KernelBuilder::emit(loop::Instruction instruction) {
  for (loop::Index& index : instruction.indices) index = canonical(std::move(index));
  BodyFrame* frame = &frame_of(instruction.indices);
  for (const loop::RegId arg : instruction.args) frame = &deeper(*frame, *frame_of_register_[arg]);
  const auto [place, is_new] = frame->known.emplace(key_of(instruction), loop::RegId{});
  if (!is_new) return place->second;
  instruction.result = frame_of_register_.add(frame);
  place->second = instruction.result;
  loop::Statement statement;
  statement.instruction = std::move(instruction);
  frame->body.push_back(std::move(statement));
  return place->second;
}

void KernelBuilder::store(loop::StoreInstruction store) {
  for (loop::Index& index : store.indices) index = canonical(std::move(index));
  loop::Statement statement;
  statement.store = std::move(store);
  current_->body.push_back(std::move(statement));
}

void KernelBuilder::add_loop(loop::Loop header, FrameKind kind,
                             const std::function<void(loop::Loop&)>& fill) {
  BodyFrame frame{current_, kind, current_->depth + 1, {header.var}, zeros_of(header), {}, {}};
  for (const loop::Loop& outer : header.around) {
    frame.vars.push_back(outer.var);
    const std::vector<loop::Index> zeros = zeros_of(outer);
    frame.zeros.insert(frame.zeros.end(), zeros.begin(), zeros.end());
  }
  current_ = &frame;
  for (const loop::VarId var : frame.vars) frame_of_var_[var] = &frame;
  extents_[header.var] = header.extent;
  for (const loop::Loop& outer : header.around) extents_[outer.var] = outer.extent;
  for (const loop::Carried& carried : header.carried) define(carried.current);
  fill(header);
  DLG_CHECK(current_ == &frame, "a loop was left open");
  current_ = frame.parent;
  header.body = std::move(frame.body);
  loop::Statement statement;
  statement.loop.push_back(std::move(header));
  current_->body.push_back(std::move(statement));
}

loop::Body KernelBuilder::combine_body(const std::function<void()>& fill) {
  BodyFrame frame{current_, FrameKind::kCombine, current_->depth + 1, {}, {}, {}, {}};
  current_ = &frame;
  fill();
  current_ = frame.parent;
  return std::move(frame.body);
}

void KernelBuilder::run_in(BodyFrame& frame, const std::function<void()>& fill) {
  BodyFrame* const left = current_;
  current_ = &frame;
  fill();
  current_ = left;
}

loop::Kernel KernelBuilder::finish() {
  DLG_CHECK(current_ == &root_, "a loop was left open");
  loop::Kernel kernel;
  kernel.body = std::move(root_.body);
  kernel.var_count = static_cast<std::uint32_t>(frame_of_var_.size());
  kernel.reg_count = static_cast<std::uint32_t>(frame_of_register_.size());
  return kernel;
}

namespace {

/// The part of a domain nest that is not yet open.
struct OpenNest {
  KernelBuilder& builder;
  const Shape& domain;
  const std::vector<std::int64_t>& order;
  const std::function<void(const Indices&)>& fill;
  bool is_ordered;  // by somebody who wants the last one innermost
  Indices at;
};

void open_axes(OpenNest& nest, std::size_t depth) {
  if (depth == nest.order.size()) return nest.fill(nest.at);
  const auto axis = static_cast<std::size_t>(nest.order[depth]);
  const std::int64_t extent = nest.domain[axis];
  if (extent == 1) return open_axes(nest, depth + 1);
  const bool is_innermost =
      std::all_of(nest.order.begin() + static_cast<std::ptrdiff_t>(depth) + 1, nest.order.end(),
                  [&](std::int64_t other) { return nest.domain[static_cast<std::size_t>(other)] == 1; });
  const bool is_long = extent == kBatch ? nest.is_ordered : extent >= kLeastVectorExtent;
  loop::Loop header;
  header.kind = is_innermost && is_long ? loop::LoopKind::kVector : loop::LoopKind::kParallel;
  header.var = nest.builder.new_var();
  header.name = loop_name(extent, depth);
  header.extent = extent;
  nest.at[axis].terms.push_back({header.var, 1});
  nest.builder.add_loop(std::move(header), FrameKind::kDomain,
                        [&](loop::Loop&) { open_axes(nest, depth + 1); });
}

}  // namespace

void domain_nest(KernelBuilder& builder, const Shape& domain, const std::vector<std::int64_t>& order,
                 const std::function<void(const Indices&)>& fill) {
  std::vector<std::int64_t> axes = order;
  if (axes.empty()) {
    axes.resize(domain.rank());
    std::iota(axes.begin(), axes.end(), 0);
  }
  OpenNest nest{builder, domain, axes, fill, !order.empty(), Indices(domain.rank())};
  open_axes(nest, 0);
}

}  // namespace dlg
