// Owns what a stopped training goes on from: its weights, the state of its optimizer and its position, in two
// files that belong together at every moment.
#pragma once

#include "runtime/run_folder.h"
#include "runtime/safetensors.h"
#include "runtime/train_loop.h"

namespace dlg {

/// What the rows of one input were.
struct DataMark {
  std::string path;  // `digits.x`
  std::int64_t rows = 0;
  std::string hash;  // fingerprint of its bytes

  friend bool operator==(const DataMark&, const DataMark&) = default;
};

/// A hash of the bytes, in hexadecimal: it finds changes, it does not resist an attacker.
std::string fingerprint(std::string_view bytes);

/// One moment of a training. The elements of a checkpoint that is to be written lie where the training has
/// them; those of one that was read are kept by the files, those of `best` by `optimizer`.
struct Checkpoint {
  TensorFile weights;    // parameters and constants
  TensorFile optimizer;  // every other state
  TrainProgress progress;
  std::vector<DataMark> data;  // of all inputs
  TensorFile best = {};        // the weights of the best epoch until now; empty: none are kept
  std::string judged = {};     // what the judge of the stops remembers; the driver reads it

  /// Gives back the memory of the files; position, data and what the judge remembers stay.
  void forget_states();
};

/// Writes weights.safetensors and optimizer.safetensors; the best weights are in the latter too,
/// the position is its metadata, and so is the checksum of the former. The order of the writes is such that
/// after a kill at any moment the folder holds the files of one moment: the new optimizer file lies beside
/// the old one until the weights are replaced. Errors: exit 3; what was there before is still there.
bool write_checkpoint(const RunFolder& folder, const Checkpoint& checkpoint, Diagnostics& diagnostics);

/// The files that belong together, all but `progress.seconds`, which run.json keeps: files of the same moment
/// of two runs are equal. An optimizer file that a kill has left beside its place is moved there. Errors:
/// missing, damaged, or not of one moment.
std::optional<Checkpoint> read_checkpoint(const RunFolder& folder, Diagnostics& diagnostics);

}  // namespace dlg
