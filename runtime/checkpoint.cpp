// Owns the order of the writes of a checkpoint and the metadata that holds the position.
#include "runtime/checkpoint.h"

#include <array>
#include <bit>
#include <cstring>
#include <filesystem>

#include "runtime/json.h"

namespace dlg {
namespace {

constexpr std::string_view kWeightsKey = "dlg.weights";
constexpr std::string_view kPositionKey = "dlg.position";
constexpr std::string_view kDataKey = "dlg.data";
constexpr std::string_view kJudgedKey = "dlg.judged";
/// Begins the names of the best weights in the optimizer's file; no state has such a name.
constexpr std::string_view kBestPrefix = "best:";

constexpr Diag<std::string, std::string> kNoPosition{DiagCode::WeightsDamaged, Severity::kError,
                                                     "`{}`: its `{}` is missing or damaged"};
constexpr Diag<std::string> kApart{
    DiagCode::RunStatesApart, Severity::kError,
    "the weights and the state of the optimizer in `{}` are not of one moment"};

struct CountField {
  std::string_view key;
  std::int64_t TrainProgress::*member;
};
constexpr std::array<CountField, 4> kCounts{{{"epochs", &TrainProgress::epochs},
                                             {"steps", &TrainProgress::steps},
                                             {"epoch_step", &TrainProgress::epoch_step},
                                             {"epoch_steps", &TrainProgress::epoch_steps}}};

enum class Presence { kNeeded, kNew };

struct NumberField {
  std::string_view key;
  double TrainProgress::*member;
  Presence presence = Presence::kNeeded;  // kNew: runs of before have none, and it is 0
};
constexpr std::array<NumberField, 6> kNumbers{{{"loss", &TrainProgress::loss},
                                               {"step_loss", &TrainProgress::step_loss},
                                               {"loss_sum", &TrainProgress::loss_sum},
                                               {"weight_sum", &TrainProgress::weight_sum, Presence::kNew},
                                               {"previous_loss", &TrainProgress::previous_loss},
                                               {"tested_loss", &TrainProgress::tested_loss}}};

std::string position_text(const TrainProgress& progress) {
  Json json = Json::object();
  for (const CountField& field : kCounts) json.set(field.key, progress.*field.member);
  for (const NumberField& field : kNumbers) json.set(field.key, progress.*field.member);
  return json_text(json);
}

/// Whether the counts can be those of a training.
bool is_possible(const TrainProgress& progress) {
  return progress.epochs >= 0 && progress.steps >= 0 && progress.epoch_step >= 0 &&
         progress.epoch_steps > progress.epoch_step;
}

std::optional<TrainProgress> position_from(const std::string& text) {
  const JsonResult json = parse_json(text);
  if (!json.value) return std::nullopt;
  TrainProgress progress;
  for (const CountField& field : kCounts) {
    const Json* found = json.value->find(field.key);
    if (found == nullptr || found->as_integer() == nullptr) return std::nullopt;
    progress.*field.member = *found->as_integer();
  }
  for (const NumberField& field : kNumbers) {
    const Json* found = json.value->find(field.key);
    if (found == nullptr && field.presence == Presence::kNew) continue;
    if (found == nullptr || !found->as_number()) return std::nullopt;
    progress.*field.member = *found->as_number();
  }
  if (!is_possible(progress)) return std::nullopt;
  return progress;
}

std::string data_text(const std::vector<DataMark>& marks) {
  Json json = Json::object();
  for (const DataMark& mark : marks) {
    json.set(mark.path, Json::object().set("rows", mark.rows).set("hash", mark.hash));
  }
  return json_text(json);
}

std::optional<std::vector<DataMark>> data_from(const std::string& text) {
  const JsonResult json = parse_json(text);
  if (!json.value || json.value->as_object() == nullptr) return std::nullopt;
  std::vector<DataMark> marks;
  for (const auto& [path, value] : *json.value->as_object()) {
    const Json* rows = value.find("rows");
    const Json* hash = value.find("hash");
    if (rows == nullptr || rows->as_integer() == nullptr) return std::nullopt;
    if (hash == nullptr || hash->as_text() == nullptr) return std::nullopt;
    marks.push_back({path, *rows->as_integer(), *hash->as_text()});
  }
  return marks;
}

/// The optimizer file that belongs to these weights: in its place, or beside it after a kill between two
/// writes.
std::optional<TensorFile> matching_optimizer(const RunFolder& folder, const std::string& weights_checksum,
                                             Diagnostics& diagnostics) {
  for (const std::string& path : {folder.optimizer(), folder.next_optimizer()}) {
    std::error_code ignored;
    if (!std::filesystem::exists(path, ignored)) continue;
    std::optional<TensorFile> file = read_safetensors({path, "", {}}, ChecksumRule::kRequired, diagnostics);
    if (!file) return std::nullopt;
    const std::string* wanted = file->meta(kWeightsKey);
    if (wanted == nullptr || *wanted != weights_checksum) continue;
    // Now, before the next save writes another file there.
    const bool is_beside = path == folder.next_optimizer();
    if (is_beside && !rename_file(path, {folder.optimizer(), "", {}}, diagnostics)) return std::nullopt;
    return file;
  }
  diagnostics.report({}, kApart, folder.path);
  return std::nullopt;
}

/// Takes the best weights out of the optimizer's file.
TensorFile taken_best(TensorFile& optimizer) {
  TensorFile best;
  std::vector<SavedTensor> others;
  for (SavedTensor& tensor : optimizer.tensors) {
    const bool is_best = tensor.name.starts_with(kBestPrefix);
    if (is_best) tensor.name.erase(0, kBestPrefix.size());
    (is_best ? best.tensors : others).push_back(std::move(tensor));
  }
  optimizer.tensors = std::move(others);
  return best;
}

}  // namespace

std::string fingerprint(std::string_view bytes) {
  // Four independent chains of multiply and rotate, so that memory and not latency bounds the speed.
  constexpr std::uint64_t kFactor = 0x9e3779b97f4a7c15;
  std::array<std::uint64_t, 4> lanes{1, 2, 3, 4};
  const auto take = [&](std::size_t at, std::size_t lane, std::size_t count) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, count);
    lanes[lane] = std::rotl((lanes[lane] ^ word) * kFactor, 31);
  };
  std::size_t at = 0;
  for (; at + 32 <= bytes.size(); at += 32) {
    for (std::size_t lane = 0; lane < 4; ++lane) take(at + 8 * lane, lane, 8);
  }
  for (; at < bytes.size(); at += 8) take(at, 0, std::min<std::size_t>(8, bytes.size() - at));
  std::uint64_t hash = bytes.size();
  for (const std::uint64_t lane : lanes) {
    hash = (hash ^ lane) * kFactor;
    hash ^= hash >> 29;
  }
  return fmt::format("{:016x}", hash);
}

void Checkpoint::forget_states() {
  weights = {};
  optimizer = {};
  best = {};
}

bool write_checkpoint(const RunFolder& folder, const Checkpoint& checkpoint, Diagnostics& diagnostics) {
  const std::string weights = safetensors_header(checkpoint.weights);
  TensorFile optimizer;
  optimizer.tensors = checkpoint.optimizer.tensors;
  optimizer.metadata = {{std::string(kWeightsKey), checksum_in(weights)},
                        {std::string(kPositionKey), position_text(checkpoint.progress)},
                        {std::string(kDataKey), data_text(checkpoint.data)}};
  if (!checkpoint.judged.empty()) optimizer.metadata.emplace_back(std::string(kJudgedKey), checkpoint.judged);
  for (const SavedTensor& tensor : checkpoint.best.tensors) {
    optimizer.tensors.push_back(tensor);
    optimizer.tensors.back().name.insert(0, kBestPrefix);
  }
  return write_safetensors({folder.next_optimizer(), "", {}}, optimizer, diagnostics) &&
         write_safetensors({folder.weights(), "", {}}, checkpoint.weights, weights, diagnostics) &&
         rename_file(folder.next_optimizer(), {folder.optimizer(), "", {}}, diagnostics);
}

std::optional<Checkpoint> read_checkpoint(const RunFolder& folder, Diagnostics& diagnostics) {
  std::optional<TensorFile> weights =
      read_safetensors({folder.weights(), "", {}}, ChecksumRule::kRequired, diagnostics);
  if (!weights) return std::nullopt;
  std::optional<TensorFile> optimizer = matching_optimizer(folder, weights->checksum, diagnostics);
  if (!optimizer) return std::nullopt;
  const auto damaged = [&](std::string_view key) {
    diagnostics.report({}, kNoPosition, folder.optimizer(), std::string(key));
    return std::nullopt;
  };
  const std::string* position = optimizer->meta(kPositionKey);
  const std::string* data = optimizer->meta(kDataKey);
  const std::optional<TrainProgress> progress = position == nullptr ? std::nullopt : position_from(*position);
  if (!progress) return damaged(kPositionKey);
  std::optional<std::vector<DataMark>> marks = data == nullptr ? std::nullopt : data_from(*data);
  if (!marks) return damaged(kDataKey);
  const std::string* judged = optimizer->meta(kJudgedKey);
  TensorFile best = taken_best(*optimizer);
  return Checkpoint{std::move(*weights), std::move(*optimizer), *progress,
                    std::move(*marks),   std::move(best),       judged == nullptr ? "" : *judged};
}

}  // namespace dlg
