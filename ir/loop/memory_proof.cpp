#include "ir/loop/memory_proof.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "ir/loop/kernel_accesses.h"
#include "ir/ops/registry.h"
#include "support/arithmetic.h"

namespace dlg::loop {
namespace {

using Failure = std::optional<std::string>;

/// Which buffer was stored last to each byte of one block.
class Owners {
 public:
  struct Span {
    std::int64_t end = 0;
    BufferId buffer;
  };

  /// Spans that end inside are cut, those within are gone: each store adds at most two, so that all of them
  /// together take little more than linear time.
  void store(std::int64_t begin, std::int64_t end, BufferId buffer) {
    if (begin == end) return;
    cut(begin);
    cut(end);
    spans_.erase(spans_.lower_bound(begin), spans_.lower_bound(end));
    spans_[begin] = {end, buffer};
  }

  bool are_all(std::int64_t begin, std::int64_t end, BufferId buffer) const {
    const auto span = spans_.find(begin);
    return begin == end || (span != spans_.end() && span->second.end == end && span->second.buffer == buffer);
  }

  /// Some other buffer than `buffer` whose store reaches into the bytes; invalid: there is none.
  BufferId intruder(std::int64_t begin, std::int64_t end, BufferId buffer) const {
    auto span = spans_.upper_bound(begin);
    if (span != spans_.begin()) --span;
    for (; span != spans_.end() && span->first < end; ++span) {
      if (span->second.end > begin && span->second.buffer != buffer) return span->second.buffer;
    }
    return {};
  }

 private:
  void cut(std::int64_t at) {
    auto span = spans_.lower_bound(at);
    if (span == spans_.begin()) return;
    --span;
    if (span->second.end <= at) return;
    spans_[at] = span->second;
    span->second.end = at;
  }

  std::map<std::int64_t, Span> spans_;  // by where they begin; disjoint
};

class MemoryProof {
 public:
  MemoryProof(const Program& program, const Obligations& obligations)
      : program_(program),
        obligations_(obligations),
        stored_(program.buffers.size()),
        holds_(program.buffers.size()) {
    for (const BufferId id : program.buffers.ids()) {
      ends_.add(add_sizes(buffer(id).offset, bytes_of(buffer(id), program.batch)));
    }
  }

  Failure run() {
    if (Failure failure = place_states()) return failure;
    for (std::size_t k = 0; k < program_.kernels.size(); ++k) {
      if (Failure failure = prove_kernel(k)) return failure;
    }
    for (const Copy& copy : program_.copies) {
      if (Failure failure = prove_copy(copy)) return failure;
    }
    if (Failure failure = prove_states()) return failure;
    return prove_outputs();
  }

 private:
  /// How a buffer got its elements in this step.
  struct Stored {
    std::size_t times = 0;
    std::size_t kernel = 0;  // behind the last kernel: a copy
  };

  const Buffer& buffer(BufferId id) const { return program_.buffers[id]; }
  const std::string& name(BufferId id) const { return buffer(id).name; }
  Owners& owners(BufferId id) { return owners_[buffer(id).kind]; }

  bool overlap(BufferId a, BufferId b) const {
    return buffer(a).kind == buffer(b).kind && buffer(a).offset < ends_[b] && buffer(b).offset < ends_[a];
  }

  std::string writer_text(BufferId id) const {
    const std::size_t kernel = stored_[id].kernel;
    if (kernel >= program_.kernels.size()) return "a copy";
    return fmt::format("kernel `{}`", program_.kernels[kernel].name);
  }

  Failure prove_kernel(std::size_t k) {
    const Kernel& kernel = program_.kernels[k];
    const Accesses accesses = accesses_of(kernel);
    const std::string reader = fmt::format("kernel `{}`", kernel.name);
    for (const Access& load : accesses.loads) {
      if (Failure failure = prove_load(load.buffer, load.value, reader)) return failure;
    }
    if (Failure failure = prove_order(kernel, accesses)) return failure;
    for (const Access& store : accesses.stores) {
      if (Failure failure = prove_store(store, k)) return failure;
    }
    return std::nullopt;
  }

  /// Whether all of the buffer holds the value.
  Failure prove_load(BufferId id, ValueId value, std::string_view reader) {
    if (!has_offset(buffer(id).kind)) return std::nullopt;
    const bool is_state = buffer(id).kind == BufferKind::kState;
    if (!is_state && stored_[id].times == 0) {
      return fmt::format("{} reads `{}` before it is stored", reader, name(id));
    }
    if (!owners(id).are_all(buffer(id).offset, ends_[id], id)) {
      const BufferId other = owners(id).intruder(buffer(id).offset, ends_[id], id);
      return fmt::format("{} reads `{}`, over which {} has stored `{}`", reader, name(id), writer_text(other),
                         name(other));
    }
    if (holds_[id] == value) return std::nullopt;
    if (is_state && stored_[id].times > 0) {
      return fmt::format("{} reads the old value of `{}`, which {} has overwritten", reader, name(id),
                         writer_text(id));
    }
    return fmt::format("{} reads another value from `{}` than was stored there", reader, name(id));
  }

  /// Within a kernel iterations may run in any order: what is stored meets no load but that of the same
  /// element before it, and no other store.
  Failure prove_order(const Kernel& kernel, const Accesses& accesses) const {
    for (const Access& store : accesses.stores) {
      for (const Access& load : accesses.loads) {
        if (!overlap(load.buffer, store.buffer) || reads_before_store(load, store)) continue;
        return fmt::format("kernel `{}` reads `{}` where it may have stored `{}` already", kernel.name,
                           name(load.buffer), name(store.buffer));
      }
      for (const Access& other : accesses.stores) {
        if (&other == &store || !overlap(other.buffer, store.buffer)) continue;
        return fmt::format("kernel `{}` stores `{}` and `{}` to the same bytes", kernel.name,
                           name(store.buffer), name(other.buffer));
      }
    }
    return std::nullopt;
  }

  Failure prove_store(const Access& store, std::size_t k) {
    const BufferId id = store.buffer;
    const std::string& kernel = program_.kernels[k].name;
    if (!fills_buffer(store, buffer(id))) {
      return fmt::format("kernel `{}` does not store every element of `{}` once", kernel, name(id));
    }
    if (buffer(id).kind == BufferKind::kState && k < program_.kernels_before_stop_test) {
      return fmt::format("kernel `{}` writes `{}` before the stop test", kernel, name(id));
    }
    return note_store(id, k, buffer(id).value);
  }

  Failure note_store(BufferId id, std::size_t k, ValueId value) {
    if (stored_[id].times > 0) {
      const std::string first = writer_text(id);
      return fmt::format("`{}` is stored by {} and once more", name(id), first);
    }
    stored_[id] = {1, k};
    holds_[id] = value;
    owners(id).store(buffer(id).offset, ends_[id], id);
    return std::nullopt;
  }

  Failure prove_copy(const Copy& copy) {
    if (Failure failure = prove_load(copy.from, buffer(copy.from).value, "a copy")) return failure;
    return note_store(copy.to, program_.kernels.size(), buffer(copy.from).value);
  }

  /// The buffers of a kind by their source. Two of one source would be two places for one thing.
  Failure index(BufferKind kind, std::map<std::string_view, BufferId>& by_source) const {
    for (const BufferId id : program_.buffers.ids()) {
      if (buffer(id).kind != kind) continue;
      if (!by_source.emplace(buffer(id).source, id).second) {
        return fmt::format("`{}` has two places", buffer(id).source);
      }
    }
    return std::nullopt;
  }

  /// Before the first kernel every state has its old value.
  Failure place_states() {
    std::map<std::string_view, BufferId> places;
    if (Failure failure = index(BufferKind::kState, places)) return failure;
    for (const Obligations::State& state : obligations_.states) {
      const auto place = places.find(state.path);
      if (place == places.end() || buffer(place->second).type != state.type) {
        return fmt::format("the state `{}` of type {} has no place", state.path, type_text(state.type));
      }
      const BufferId id = place->second;
      states_.push_back(id);
      holds_[id] = state.old_value;
      owners(id).store(buffer(id).offset, ends_[id], id);
    }
    if (places.size() == states_.size()) return std::nullopt;
    return "the program has a state that nobody asked for";
  }

  Failure prove_states() const {
    for (std::size_t i = 0; i < states_.size(); ++i) {
      const Obligations::State& state = obligations_.states[i];
      const bool is_written = stored_[states_[i]].times > 0;
      if (!state.value.is_valid()) {
        if (is_written) return fmt::format("`{}` is written and keeps its value", state.path);
        continue;
      }
      if (!is_written) return fmt::format("`{}` does not get its new value", state.path);
      if (holds_[states_[i]] != state.value) return fmt::format("`{}` gets the value of another", state.path);
    }
    return std::nullopt;
  }

  /// What the stop test looks at, where it is an output.
  Failure prove_tested(const std::map<std::string_view, BufferId>& places, std::string_view name,
                       BufferId tested) const {
    const auto place = places.find(name);
    if (place == places.end()) return std::nullopt;
    const bool is_tested =
        tested == place->second && stored_[tested].kernel < program_.kernels_before_stop_test;
    return is_tested ? std::nullopt : Failure(fmt::format("the stop test does not follow the {}", name));
  }

  Failure prove_outputs() {
    std::map<std::string_view, BufferId> places;
    if (Failure failure = index(BufferKind::kOutput, places)) return failure;
    for (const Obligations::Output& output : obligations_.outputs) {
      const auto place = places.find(output.name);
      if (place == places.end() || buffer(place->second).type != output.type) {
        return fmt::format("the output `{}` of type {} has no place", output.name, type_text(output.type));
      }
      const BufferId id = place->second;
      if (stored_[id].times == 0) return fmt::format("the output `{}` is not stored", output.name);
      if (Failure failure = prove_load(id, output.value, "the caller")) return failure;
    }
    Failure failure = prove_tested(places, "loss", program_.loss);
    if (!failure) failure = prove_tested(places, kWeightOutput, program_.weight);
    return failure ? failure : prove_tested(places, kFaultOutput, program_.fault);
  }

  const Program& program_;
  const Obligations& obligations_;
  IdVector<BufferId, std::int64_t> ends_;
  IdVector<BufferId, Stored> stored_;
  IdVector<BufferId, ValueId> holds_;    // what a buffer was stored last; of a state, first its old value
  std::vector<BufferId> states_;         // as the obligations have them
  std::map<BufferKind, Owners> owners_;  // of each block
};

}  // namespace

Obligations obligations_of(const Graph& graph) {
  std::map<std::string_view, ValueId> old_values;
  for (const ValueId value : graph.nodes.ids()) {
    if (graph[value].op == &ops::state) old_values.emplace(*leaf_path(graph[value]), value);
  }
  Obligations obligations;
  for (const State& state : graph.states) {
    const auto old = old_values.find(state.path);
    const ValueId old_value = old == old_values.end() ? ValueId{} : old->second;
    obligations.states.push_back({state.path, state.type, old_value, {}});
  }
  for (const Effect& effect : graph.effects) {
    Obligations::State& state = obligations.states[effect.state.index];
    if (state.old_value != effect.value) state.value = effect.value;
  }
  for (const Output& output : graph.outputs) {
    obligations.outputs.push_back({output.name, graph.type(output.value), output.value});
  }
  return obligations;
}

std::optional<std::string> prove_memory(const Program& program, const Obligations& obligations) {
  return MemoryProof(program, obligations).run();
}

}  // namespace dlg::loop
