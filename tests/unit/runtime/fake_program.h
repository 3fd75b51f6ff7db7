// Owns a program that keeps to runtime/abi.h without a compiler: one weight w, loss = mean of (w - x)^2 over
// the batch, update w <- w - lr * mean of 2 (w - x).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>
#include <vector>

#include "runtime/train_loop.h"
#include "support/check.h"

namespace dlg {

enum FakeHyper : std::size_t { kRate, kBatch, kFlagAfter, kHyperCount };

/// What one fake step found: the rows of its batch.
using FakeBatch = std::vector<std::int64_t>;

/// Batches and calls of all fake programs since the last `FakeProgram` was made.
struct FakeHistory {
  std::vector<FakeBatch> batches;
  std::vector<std::int64_t> call_lengths;
};
inline FakeHistory fake_history;
inline std::int32_t fake_flag = 0;

inline double fake_weight(const DlgContext& context) {
  double w = 0;
  std::memcpy(&w, context.state, sizeof w);
  return w;
}

/// Rows of the next batch.
inline FakeBatch fake_batch(const DlgContext& context) {
  const auto batch = static_cast<std::int64_t>(context.hypers[kBatch]);
  const std::int64_t end = std::min(context.position + batch, context.rows_total);
  return {context.order + context.position, context.order + end};
}

/// Why there must be no update at this loss.
inline std::int64_t fake_stop(const DlgContext& context, double loss) {
  if (!std::isfinite(loss)) return kDlgLossNotFinite;
  if (loss < context.stop_loss_below) return kDlgLossBelow;
  if (std::abs(loss - context.previous_loss) < context.stop_change_below) return kDlgLossSettled;
  return kDlgStepsDone;
}

/// Loss and its derivative; without data x is 0.
inline std::pair<double, double> fake_loss(const DlgContext& context, const FakeBatch& rows) {
  const double* x = context.data == nullptr ? nullptr : static_cast<const double*>(context.data[0]);
  double loss = 0;
  double slope = 0;
  for (const std::int64_t row : rows) {
    const double gap = fake_weight(context) - (x == nullptr ? 0 : x[row]);
    loss += gap * gap / static_cast<double>(rows.size());
    slope += 2 * gap / static_cast<double>(rows.size());
  }
  return {loss, slope};
}

extern "C" inline std::int64_t fake_step(DlgContext* context, std::int64_t n_steps) {
  fake_history.call_lengths.push_back(n_steps);
  context->reason = kDlgStepsDone;
  for (std::int64_t i = 0; i < n_steps; ++i) {
    if (context->stop_flag != nullptr && *context->stop_flag != 0) {
      context->reason = kDlgInterrupted;
      return i;
    }
    const FakeBatch rows = fake_batch(*context);
    const auto [loss, slope] = fake_loss(*context, rows);
    if (context->losses != nullptr) context->losses[i] = loss;
    context->reason = fake_stop(*context, loss);
    if (context->reason != kDlgStepsDone) return i;
    context->previous_loss = loss;
    const double w = fake_weight(*context) - context->hypers[kRate] * slope;
    std::memcpy(context->state, &w, sizeof w);
    if (fake_history.batches.size() < 1000) fake_history.batches.push_back(rows);
    if (context->hypers[kFlagAfter] == static_cast<double>(fake_history.batches.size())) fake_flag = 1;
    context->position += static_cast<std::int64_t>(rows.size());
    if (context->position < context->rows_total) continue;
    context->position = 0;
    context->order += context->order_step;
  }
  return n_steps;
}

/// Like compiled code for predict and metrics: no update; outputs are w * x per row and their mean.
extern "C" inline std::int64_t fake_predict(DlgContext* context, std::int64_t) {
  const FakeBatch rows = fake_batch(*context);
  const double* x = static_cast<const double*>(context->data[0]);
  double* output = reinterpret_cast<double*>(context->output);
  output[0] = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    output[1 + i] = fake_weight(*context) * x[rows[i]];
    output[0] += output[1 + i] / static_cast<double>(rows.size());
  }
  context->reason = std::isfinite(output[0]) ? kDlgStepsDone : kDlgLossNotFinite;
  return context->reason == kDlgStepsDone ? 1 : 0;
}

/// The fake program with its memory; w starts at `start`.
class FakeProgram {
 public:
  FakeProgram(double start, double rate, std::vector<double> x, std::int64_t batch)
      : memory_(make_memory()), x_(std::move(x)) {
    std::memcpy(memory_.state(), &start, sizeof start);
    program_.step = fake_step;
    program_.memory = &memory_;
    if (!x_.empty()) program_.data = {x_.data()};
    program_.hypers = {rate, static_cast<double>(batch), -1};
    plan_.batch = batch;
    plan_.stop_flag = &fake_flag;
    for (std::size_t row = 0; row < x_.size(); ++row) plan_.rows.push_back(static_cast<std::int64_t>(row));
    fake_history = {};
    fake_flag = 0;
  }
  FakeProgram(const FakeProgram&) = delete;
  FakeProgram& operator=(const FakeProgram&) = delete;

  StepProgram& program() { return program_; }
  TrainPlan& plan() { return plan_; }
  StepMemory& memory() { return memory_; }
  double weight() const {
    double w = 0;
    std::memcpy(&w, memory_.state(), sizeof w);
    return w;
  }
  TrainResult train(const TrainObserver& observer = {}) { return dlg::train(program_, plan_, observer); }

 private:
  static StepMemory make_memory() {
    Diagnostics diagnostics;
    auto memory = StepMemory::allocate({64, 8, 1024}, {}, diagnostics);
    DLG_CHECK(memory.has_value(), "a little memory");
    return std::move(*memory);
  }

  StepMemory memory_;
  std::vector<double> x_;
  StepProgram program_;
  TrainPlan plan_;
};

}  // namespace dlg
