#include "tests/engines/guarded_step.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <map>

#include "support/check.h"
#include "tests/layouts.h"

namespace dlg::test {
namespace {

using loop::BufferId;
using loop::BufferKind;

/// One piece for all buffers of a block that lie at the same offset: a state and what is written into it in
/// place.
struct BlockPieces {
  std::vector<Piece> pieces;
  std::map<std::int64_t, std::size_t> at_offset;  // state block
  std::map<BufferId, std::size_t> of_buffer;
};

BlockPieces pieces_of(const loop::Program& program, BufferKind kind) {
  BlockPieces all;
  for (const BufferId id : program.buffers.ids()) {
    const loop::Buffer& buffer = program.buffers[id];
    if (buffer.kind != kind) continue;
    const std::int64_t bytes = loop::bytes_of(buffer, program.batch);
    const auto found = all.at_offset.find(buffer.offset);
    const bool is_shared = kind == BufferKind::kState && found != all.at_offset.end();
    const std::size_t index = is_shared ? found->second : all.pieces.size();
    if (!is_shared) all.pieces.push_back({.name = buffer.name, .bytes = bytes});
    all.pieces[index].bytes = std::max(all.pieces[index].bytes, bytes);
    all.at_offset[buffer.offset] = all.of_buffer[id] = index;
  }
  return all;
}

/// The program with every buffer of its blocks on pages of its own.
loop::Program spread(loop::Program program, Edge edge) {
  const std::pair<BufferKind, std::int64_t*> blocks[] = {{BufferKind::kArena, &program.arena_bytes},
                                                         {BufferKind::kState, &program.state_bytes},
                                                         {BufferKind::kOutput, &program.output_bytes}};
  for (const auto& [kind, size] : blocks) {
    BlockPieces all = pieces_of(program, kind);
    lay_out(all.pieces, edge);
    for (const auto& [id, index] : all.of_buffer) program.buffers[id].offset = all.pieces[index].offset;
    if (!all.pieces.empty()) *size = all.pieces.back().offset + all.pieces.back().bytes;
    *size = (*size + 63) / 64 * 64;
  }
  return program;
}

/// What a block of a guarded program consists of. Its own offsets are those of the buffers.
std::vector<Piece> block_pieces(const GuardedProgram& guarded, BufferKind kind, std::int64_t bytes,
                                const std::string& name) {
  const loop::Program& program = guarded.program();
  if (guarded.guarding().alone == Alone::kBuffers) {
    BlockPieces all = pieces_of(program, kind);
    lay_out(all.pieces, guarded.guarding().edge);
    return all.pieces;
  }
  std::vector<Piece> pieces{{.name = name, .bytes = bytes}};
  lay_out(pieces, guarded.guarding().edge);
  return pieces;
}

std::vector<Piece> scratch_pieces(const GuardedProgram& guarded, std::int64_t workers) {
  std::vector<Piece> pieces;
  for (std::int64_t worker = 0; worker < std::max<std::int64_t>(1, workers); ++worker) {
    pieces.push_back(
        {.name = fmt::format("scratch of worker {}", worker), .bytes = guarded.code().scratch_bytes()});
  }
  lay_out(pieces, guarded.guarding().edge);
  return pieces;
}

/// A run of 8-byte numbers, of which nothing is known but that: flush with the start it begins at 8
/// modulo 64.
Piece numbers(const std::string& name, std::size_t count) {
  return {.name = name, .bytes = 8 * static_cast<std::int64_t>(count), .unit = 8, .lead = 8};
}

std::unique_ptr<GuardedBlock> make_block(std::vector<Piece> pieces, Edge edge) {
  lay_out(pieces, edge);
  return std::make_unique<GuardedBlock>(std::move(pieces));
}

template <class T>
void copy_to(unsigned char* to, const std::vector<T>& values) {
  if (!values.empty()) std::memcpy(to, values.data(), values.size() * sizeof(T));
}

}  // namespace

Guarding guarding_of(std::uint64_t turn) {
  const std::vector<Guarding> all = all_guardings();
  return all[turn % all.size()];
}

std::vector<Guarding> all_guardings() {
  return {{Edge::kEnd, Alone::kBuffers}, {Edge::kStart, Alone::kBuffers}, {Edge::kEnd, Alone::kBlocks}};
}

std::string guarding_name(const Guarding& guarding) {
  return fmt::format("{} flush with the {}", guarding.alone == Alone::kBuffers ? "buffers" : "blocks",
                     guarding.edge == Edge::kStart ? "start" : "end");
}

GuardedProgram::GuardedProgram(const loop::Program& planned, const CompiledAs& how, const Guarding& guarding)
    : guarding_(guarding),
      program_(guarding.alone == Alone::kBuffers ? spread(planned, guarding.edge) : planned),
      code_(compiled(program_, how)) {}

GuardedRun::GuardedRun(const GuardedProgram& guarded, std::int64_t workers)
    : guarded_(guarded),
      turns_{workers},
      arena_(block_pieces(guarded, BufferKind::kArena, guarded.program().arena_bytes, "the arena")),
      state_(block_pieces(guarded, BufferKind::kState, guarded.program().state_bytes, "the states")),
      output_(block_pieces(guarded, BufferKind::kOutput, guarded.program().output_bytes, "the outputs")),
      scratch_(scratch_pieces(guarded, workers)) {
  set_data({});
  set_hypers({});
}

const GuardedBlock& GuardedRun::block_of(BufferKind kind) const {
  if (kind == BufferKind::kArena) return arena_;
  return kind == BufferKind::kState ? state_ : output_;
}

unsigned char* GuardedRun::buffer(const loop::Buffer& buffer) const {
  DLG_CHECK(loop::has_offset(buffer.kind), "a buffer of a block");
  const GuardedBlock& block = block_of(buffer.kind);
  return (guarded_.guarding().alone == Alone::kBuffers ? block.data() : block.piece(0)) + buffer.offset;
}

void GuardedRun::set_data(const std::vector<std::vector<unsigned char>>& rows) {
  std::vector<Piece> pieces;
  for (const loop::Buffer& buffer : guarded_.program().buffers) {
    if (buffer.kind != BufferKind::kData || pieces.size() == rows.size()) continue;
    const auto bytes = static_cast<std::int64_t>(rows[pieces.size()].size());
    pieces.push_back({.name = buffer.name, .bytes = bytes, .unit = dtype_bytes(buffer.type.dtype)});
  }
  data_ = make_block(std::move(pieces), guarded_.guarding().edge);
  data_pointers_.clear();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    copy_to(data_->piece(i), rows[i]);
    data_pointers_.push_back(data_->piece(i));
  }
}

void GuardedRun::set_hypers(const std::vector<double>& values) {
  hypers_ = make_block({numbers("the hyper-parameters", values.size())}, guarded_.guarding().edge);
  copy_to(hypers_->piece(0), values);
}

std::string GuardedRun::damage() const {
  const std::array<const GuardedBlock*, 6> blocks{&arena_,   &state_,     &output_,
                                                  &scratch_, data_.get(), hypers_.get()};
  for (const GuardedBlock* block : blocks) {
    if (const auto found = block->damage()) return *found;
  }
  for (const loop::Buffer& buffer : guarded_.program().buffers) {
    if (buffer.layout.is_dense()) continue;
    for (const std::int64_t byte : padding_of(buffer, guarded_.program().batch)) {
      if (!block_of(buffer.kind).is_untouched(this->buffer(buffer) + byte))
        return fmt::format("writes to the padding of `{}`", buffer.name);
    }
  }
  return "";
}

std::string GuardedRun::step(const std::vector<std::int64_t>& order, std::int64_t steps) {
  const auto run = make_block(
      {numbers("the row order", order.size()), numbers("the losses", static_cast<std::size_t>(steps))},
      guarded_.guarding().edge);
  copy_to(run->piece(0), order);
  const bool is_spread = guarded_.guarding().alone == Alone::kBuffers;
  const auto begin = [&](const GuardedBlock& block) { return is_spread ? block.data() : block.piece(0); };
  const bool has_workers = turns_.workers > 1;
  DlgContext context{};
  context.arena = begin(arena_);
  context.state = begin(state_);
  context.output = begin(output_);
  context.data = data_pointers_.data();
  context.hypers = reinterpret_cast<const double*>(hypers_->piece(0));
  context.order = reinterpret_cast<const std::int64_t*>(run->piece(0));
  context.rows_total = static_cast<std::int64_t>(order.size());
  context.losses = reinterpret_cast<double*>(run->piece(1));
  context.previous_loss = context.stop_loss_below = context.stop_change_below = std::nan("");
  context.scratch = scratch_.piece(0);
  if (has_workers) context.scratch_stride = scratch_.piece(1) - scratch_.piece(0);
  if (turns_.workers > 0) context.run_phase = Turns::run;
  context.team = &turns_;
  std::int64_t done = 0;
  const DlgStepFunction entry = guarded_.code().entry();
  if (const auto fault = run_between_guards([&] { done = entry(&context, steps); })) return *fault;
  if (const std::string found = damage(); !found.empty()) return found;
  if (const auto found = run->damage()) return *found;
  reason_ = static_cast<DlgStopReason>(context.reason);
  const bool is_well = done == steps || reason_ == kDlgIndexOutside;
  return is_well ? "" : fmt::format("makes {} of {} steps", done, steps);
}

}  // namespace dlg::test
