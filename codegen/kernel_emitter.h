// Owns the emission of one kernel: its function, its loops, and the width and the tile they run at.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "codegen/carried_values.h"
#include "codegen/counted_loop.h"
#include "codegen/element_emitter.h"
#include "codegen/emit.h"
#include "codegen/kernel_memory.h"
#include "codegen/loop_bounds.h"
#include "ir/loop/nest.h"
#include "ir/loop/operands.h"
#include "ir/loop/schedule.h"
#include "ir/loop/sum_order.h"

namespace dlg {

inline constexpr auto kReductionLanes = static_cast<unsigned>(loop::kLaneCount);

/// Emits one kernel. Serial loops become loops, vector loops explicit vectors, lanes loops 16 lanes and a
/// tree, and a scheduled parallel loop a loop over register tiles. What is taken how is read off the
/// schedule. In a straight step loops of known length are unrolled.
class KernelEmitter {
 public:
  KernelEmitter(llvm::Module& module, const loop::Program& program, std::size_t index,
                const KernelTarget& target);

  EmittedKernel run();

 private:
  // emit_kernel.cpp: the function, loops in order, vectors.
  void set_attributes();
  bool shares_bytes(loop::BufferId id) const;
  void emit_body(const loop::Body& body);
  void emit_statement(const loop::Statement& statement);
  void emit_loop(const loop::Loop& loop);
  void emit_serial(const loop::Loop& loop);
  /// The iterations of `counted` of a serial loop; answers the carried values after them.
  Values emit_iterations(const loop::Loop& loop, const CountedLoop& counted);
  void emit_vector(const loop::Loop& loop);

  // emit_straight.cpp: loops written out, functions side by side.
  void emit_straight_body(const loop::Body& body);
  void emit_straight(const loop::Loop& loop);
  void emit_unrolled_vector(const loop::Loop& loop, std::int64_t begin, std::int64_t end);
  void emit_unrolled(const loop::Loop& loop, std::int64_t begin, std::int64_t end);
  void emit_unrolled_lanes(const loop::Loop& loop);
  void unroll_lanes(const loop::Loop& loop, std::size_t depth, std::vector<Values>& lanes);
  struct KnownBounds {
    std::int64_t begin;
    std::int64_t end;
  };
  /// Of a loop in a straight step: the batch is whole, and variables of blocks are numbers too.
  KnownBounds known_bounds(const loop::Loop& loop);

  // emit_lanes.cpp: reductions.
  void emit_lanes_in_memory(const loop::Loop& loop);
  void emit_lanes_as_vector(const loop::Loop& loop);
  llvm::Type* carried_type(const loop::Carried& carried, unsigned width);
  llvm::Value* lane_slot(llvm::Value* memory, const loop::Carried& carried, llvm::Value* lane);
  void update_lane(const loop::Loop& loop, const Values& memories, llvm::Value* at);
  /// The loops around lanes, from that at `depth` on; `body` gets what they carry and answers it anew.
  Values emit_around(const loop::Loop& loop, std::size_t depth, const Values& carried,
                     const std::function<Values(const Values&)>& body);
  Values whole_vectors(const loop::Loop& loop, const Bounds& bounds, const Values& lanes);
  Values lane_memories(const loop::Loop& loop);
  Values combined(const loop::Loop& loop, const Values& left, const Values& right);
  Values joined_lanes(const loop::Loop& loop, std::vector<Values> lanes);
  Values loaded_lane(const loop::Loop& loop, const Values& memories, unsigned lane);
  Values with_known_rest(const loop::Loop& loop, const Values& lanes);
  Values with_rest(const loop::Loop& loop, const Values& lanes, const Bounds& rest);
  Values joined_halves(const loop::Loop& loop, const Values& lanes, unsigned half);

  // emit_tile.cpp: contractions.
  /// The copy of one operand: some lanes for each step of the chain.
  struct PackedBlock {
    loop::Operand pack;
    llvm::Type* element = nullptr;
    llvm::Value* memory = nullptr;
    ElementEmitter::Lanes lanes;
    llvm::Align align;                   // of the lanes of a step
    llvm::Value* first = nullptr;        // the column or row of lane 0
    const loop::Body* before = nullptr;  // instructions that say where a lane lies
  };
  /// The rows of a nest, in units: whole tiles and, as the last unit, all that they leave.
  struct TileRows {
    const loop::Loop& loop;
    unsigned tile = 1;             // rows of a whole one
    std::vector<unsigned> rest;    // tiles of the last unit, if the number of rows is the expected one
    llvm::Value* end = nullptr;    // rows
    llvm::Value* whole = nullptr;  // whole tiles
    llvm::Value* is_expected = nullptr;
    Bounds units = {};                // of this worker, or of the part of them that is packed
    std::vector<PackedBlock> packed;  // operands, from the first of `units` on
  };
  void emit_tiles(const loop::Loop& rows);
  TileRows tile_rows(const loop::Loop& rows);
  void emit_panels(const TileRows& rows, const std::optional<Bounds>& share);
  /// As many panels like `panel` as are in its reach, the last ones perhaps missing.
  struct PanelBlock {
    const TileRows& rows;
    const loop::Panel& panel;
  };
  static const loop::Loop& column_loop(const TileRows& rows) { return loop::column_loop(rows.loop); }
  static bool is_beside(const loop::Loop& rows) { return rows.schedule->epilogue == loop::Epilogue::kBeside; }
  void emit_block(const PanelBlock& block, const Bounds& columns);
  void pack_rows(const TileRows& rows);
  PackedBlock tile_of(const TileRows& rows, const PackedBlock& packed, llvm::Value* row, unsigned count);
  using TileBody = std::function<void(llvm::Value* row, unsigned count)>;
  void for_each_tile(const TileRows& rows, const TileBody& body);
  static ElementEmitter::Lanes lanes_of(const PanelBlock& block);
  void emit_tile(const PanelBlock& block, unsigned count);
  void read_packed(const TileRows& rows, llvm::Value* row, unsigned count);
  void prefetch_far(const loop::TileParts& parts, const loop::Loop& rows);
  void emit_columns(const loop::Loop& rows);

  // emit_overlap.cpp: updates beside the chains of the next tile.
  /// The sums of one tile on their way to the update, in memory.
  struct Waiting {
    loop::TileParts parts;
    const loop::Loop& chain;
    Values sums;                    // for each carried value: all rows
    llvm::Value* count = nullptr;   // rows that wait: none or a tile
    llvm::Value* row = nullptr;     // the first of them
    llvm::Value* column = nullptr;  // of lane 0
  };
  Waiting waiting_sums(const loop::Loop& rows);
  Values initial_sums(const Waiting& waiting);
  Values enter_block(const loop::Loop& chain, const Values& totals);
  Values leave_block(const loop::Loop& chain, const Values& sums, llvm::Value* end);
  void emit_overlapped_tile(const PanelBlock& block, Waiting& waiting);
  void emit_waiting_row(const PanelBlock& block, const Waiting& waiting, llvm::Value* number);
  void emit_left_updates(const PanelBlock& block, const Waiting& waiting);

  // emit_pack.cpp: operands copied together.
  static llvm::Align lanes_align(const PackedBlock& block, unsigned lanes);
  PackedBlock packed_block(const loop::Operand& pack, std::int64_t lanes);
  void fill(const std::vector<PackedBlock>& blocks);
  PackedBlock panel_of(const PackedBlock& packed, const loop::Panel& panel, llvm::Value* column,
                       llvm::Value* first);
  void read_panel(const PackedBlock& part);
  void pack_steps(const std::vector<PackedBlock>& blocks, std::size_t depth);
  void pack_step(const PackedBlock& block, llvm::Value* step);
  void pack_square(const PackedBlock& block, llvm::Value* step, unsigned side);
  llvm::Value* packed_place(const PackedBlock& block, llvm::Value* first_step, unsigned first_lane);

  const loop::Program& program_;
  const loop::Kernel& kernel_;
  loop::Core core_;
  StepForm form_;
  llvm::IRBuilder<> builder_;
  ElementEmitter elements_;
  EmittedKernel emitted_;
  llvm::Value* rows_ = nullptr;
  std::optional<LoopBounds> bounds_;
  std::optional<StackSlots> slots_;
  std::optional<ScratchStack> scratch_;
};

}  // namespace dlg
