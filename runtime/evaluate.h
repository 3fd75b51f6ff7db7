// Owns evaluation: compiled code without effects over the rows of a part, batch by batch.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/train_loop.h"

namespace dlg {

/// One output of the program in its output block.
struct OutputSlot {
  enum class Kind : std::uint8_t {
    kMean,          // a value of the batch (mean over its real rows): averaged over rows
    kWeightedMean,  // the same by the weights of its rows: averaged by what the kWeight says of each batch
    kWeight,        // the sum of the weights of the batch's rows, one number: added up
    kPerRow,        // [batch, elements]: collected
  };
  std::string name;
  Kind kind = Kind::kMean;
  DType type = DType::kF32;
  const void* data = nullptr;  // where compiled code writes it
  std::int64_t elements = 1;   // of the value, without the batch axis
};

/// What came out for one slot.
struct OutputValues {
  std::string name;
  std::vector<double> means = {};  // all but kPerRow: [elements]
  DType type = DType::kF32;
  std::vector<unsigned char> rows = {};  // kPerRow: [rows, elements] in `type`
};

struct EvaluatePlan {
  std::vector<std::int64_t> rows;  // empty: a program without data, one call
  std::int64_t batch = 1;          // as compiled
  std::vector<OutputSlot> outputs;
  const volatile std::int32_t* stop_flag = nullptr;
};

/// Runs the program, none of whose outputs is called `loss`, once over the rows, in order. Values in the
/// order of `plan.outputs`; empty if the flag was set, or after `on_fault` where an index lies outside.
std::vector<OutputValues> evaluate(const StepProgram& program, const EvaluatePlan& plan);

}  // namespace dlg
