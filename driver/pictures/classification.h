// Owns the classes of the rows of a part: those that they have, and those that they are taken for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "driver/cli/session.h"
#include "driver/engine/training_setup.h"
#include "driver/training/weights.h"

namespace dlg {

/// A run that is being looked at: its program with its data, and its weights.
struct TrainedSetup {
  Session& session;
  const TrainingSetup& setup;
  const TensorFile& weights;
};

struct Classification {
  Part part;
  std::vector<std::string> classes;  // their names, or "0", "1", ...
  std::vector<std::int64_t> truth;   // of each row of the part
  std::vector<std::int64_t> taken;
};

/// The part of this name; of none the last that the data has: test, val or train. nullopt after an error:
/// the data has no such part, or there is no data.
std::optional<Part> chosen_part(const TrainedSetup& trained, const std::string& wanted);

/// Each row of `part` is taken for the class of the largest number of its prediction. Its own class is the
/// field that the loss reads and the prediction does not. nullopt after an error: there is no such
/// prediction, or not one such field.
std::optional<Classification> classify(const TrainedSetup& trained, const Part& part);

/// The field of an input of the program; null: it is none.
const Field* field_of(const CheckedProgram& program, const std::string& path);

/// The fields that an output of the program, as it is evaluated, is computed from.
std::vector<const Field*> fields_of(const CheckedProgram& program, ValueId output);

/// The axes of one sample of a field.
Shape sample_shape(const Field& field);

/// The numbers of one row of a field.
std::vector<double> row_of(const LoadedData& data, const Field& field, std::int64_t row);

}  // namespace dlg
