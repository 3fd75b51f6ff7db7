// Owns the loop IR: kernels of loop nests over buffers, the level between graph and LLVM. It fixes the order
// of every sum.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "ir/graph/graph.h"
#include "ir/graph/types.h"
#include "ir/loop/layout.h"
#include "support/id.h"
#include "support/source.h"

namespace dlg::loop {

using BufferId = Id<struct BufferTag>;
using VarId = Id<struct VarTag>;  // a loop variable, unique in its kernel
using RegId = Id<struct RegTag>;  // a scalar value, assigned once, unique in its kernel
using KernelId = Id<struct KernelTag>;

enum class BufferKind : std::uint8_t {
  kArena,     // lives for a part of one step; byte offset `offset` in the arena
  kState,     // persists; byte offset `offset` in the state block
  kData,      // a field of the data set: row-major, row chosen by the row order; `source` is the input path
  kOrder,     // i64[*batch]: the data row of each batch row
  kHyper,     // f64[]: a run-time scalar; `source` is its name
  kOutput,    // what a caller reads after the step: loss, metrics, predictions, shown values; offset in the
              // output block
  kConstant,  // literal elements, part of the program
};

struct Buffer {
  std::string name = {};
  TensorType type = {};  // logical shape
  Layout layout = {};
  BufferKind kind = BufferKind::kArena;
  std::int64_t offset = 0;           // bytes, 64-byte aligned
  std::string source = {};           // state path, input path, hyper or output name
  std::vector<double> literal = {};  // kConstant
  ValueId value = {};                // what of the graph is stored here; for the proof, no part of the text
  std::int64_t below =
      0;  // kData: whoever binds rows makes sure that all numbers are in 0 .. below - 1; 0: any
};

/// Of each logical axis, with `capacity` rows in place of the batch.
std::vector<AxisStride> strides_of(const Buffer& buffer, std::int64_t capacity);
/// Bytes the buffer occupies at `capacity` rows, with its padding.
std::int64_t bytes_of(const Buffer& buffer, std::int64_t capacity);

/// Where each element lies: its place in storage, for every element in logical row-major order.
std::vector<std::int64_t> places_of(const Buffer& buffer, std::int64_t capacity);
/// Whether buffers of this kind have a byte offset in a block.
bool has_offset(BufferKind kind);

/// sum of coefficient * variable, plus an optional register (i64/i32, a computed row), plus a constant.
struct Index {
  struct Term {
    VarId var;
    std::int64_t factor = 1;
    friend bool operator==(const Term&, const Term&) = default;
  };
  std::vector<Term> terms;
  RegId dynamic;
  std::int64_t offset = 0;
  friend bool operator==(const Index&, const Index&) = default;
};

/// (a sum of loop variables with factors, the number of valid rows with one, and a constant) / divisor: where
/// a loop begins or ends.
struct Bound {
  Index value = {};          // of loops around, without a register
  std::int64_t rows = 0;     // the factor of the valid rows
  std::int64_t divisor = 1;  // 1 or more
};

/// What one instruction computes. All operands of one dtype unless said otherwise; the result dtype is the
/// instruction's.
enum class Op : std::uint8_t {
#define DLG_SCALAR_OP(name, ...) name,
#include "ir/loop/scalar_ops.def"
#undef DLG_SCALAR_OP
};

/// The most operands that an op has.
inline constexpr int kMostOperands = std::max({
#define DLG_SCALAR_OP(name, text, arity, typing, unit, rule) arity,
#include "ir/loop/scalar_ops.def"
#undef DLG_SCALAR_OP
});

struct OpInfo {
  std::string_view text;
  int arity;
};
const OpInfo& op_info(Op op);
std::optional<Op> parse_op(std::string_view text);

struct Instruction {
  Op op = Op::kConst;
  DType dtype = DType::kF32;
  RegId result = {};
  std::vector<RegId> args = {};
  double number = 0;                // kConst
  BufferId buffer = {};             // kLoad
  std::vector<Index> indices = {};  // kLoad: one per logical axis; kIndex: exactly one
  ValueId value = {};  // kLoad: what of the graph it is meant to read; for the proof, no part of the text
  bool joins_previous = false;  // in a straight step: a lane of one vector with the instruction before it
};

struct StoreInstruction {
  BufferId buffer;
  std::vector<Index> indices;
  RegId value;
};

enum class LoopKind : std::uint8_t {
  kSerial,    // in order; carried values go from one iteration to the next
  kParallel,  // iterations independent: any order, side by side in registers or on several cores, the same
              // bits; no carried values
  kVector,    // as kParallel, and the innermost axis of what is stored: iterations are lanes of a vector
  kLanes,     // a reduction in 16 lanes: iteration i updates lane i mod 16 of each carried value, every lane
              // starting from `initial`; at the end a fixed tree joins lane j with lane j + 8, then + 4, + 2,
              // + 1 through `combine`. The loops `around` it run with the lanes in hand: one tree for all
};

/// A value that a loop carries. In the body `current` is its value; `next` is what the iteration gives.
struct Carried {
  RegId initial;  // defined outside the loop
  RegId current;
  RegId next;    // defined in the body
  RegId result;  // defined after the loop
  RegId left;    // kLanes: the two operands of `combine` (left: the lower lane) and what it gives
  RegId right;
  RegId combined;
};

/// A load whose elements are copied together before the chains read them, and how: what is no neighbour in
/// memory but lies in runs along the chain in squares that are turned over, rows that are neighbours so many
/// tiles side by side.
struct Pack {
  RegId load;
  unsigned square = 1;     // steps and lanes of a square; fewer lanes take a smaller one
  std::int64_t group = 1;  // tiles
};

/// A run of columns taken `width` lanes at a time; it begins where the one before ends. A run narrower than
/// its width is taken once, with idle lanes.
struct Panel {
  std::int64_t begin = 0;
  std::int64_t end = 0;  // kBatch: as far as whole vectors of the valid rows reach
  unsigned width = 1;
  std::int64_t reach = 1;         // so many of them side by side: each tile of rows goes over all
  std::vector<Pack> packed = {};  // what is copied together under a panel

  /// Lanes that stand for a column.
  unsigned lanes() const {
    return end == kBatch ? width : static_cast<unsigned>(std::min<std::int64_t>(width, end - begin));
  }
};

/// When the sums of a tile are used: behind their chains, from registers or, if that is much, from memory one
/// row after the other; or beside the chains of the next tile. Or they wait in scratch: the outermost loop of
/// the chains runs outside of all loops of the kernel, so that what one iteration reads stays near for all
/// tiles.
enum class Epilogue : std::uint8_t { kBehind, kByRows, kBeside, kWaiting };

/// How independent iterations are taken: of a vector loop in panels; of a parallel loop around one in
/// register tiles, so many rows of a panel side by side. It changes no bit.
struct LoopSchedule {
  unsigned tile = 1;  // rows of a whole tile
  /// Tiles for the rows that whole ones leave. Of the batch: of a whole one; any other leaves single rows.
  std::vector<unsigned> rest = {};
  std::vector<Panel> panels = {};
  std::vector<Pack> packed = {};       // what is copied together for the rows of several tiles
  std::int64_t packed_tiles = 0;       // how many tiles
  std::vector<RegId> prefetched = {};  // loads behind the chains that are asked for before them
  unsigned prefetch_level = 2;         // the cache that they are brought to
  Epilogue epilogue = Epilogue::kBehind;
  std::int64_t beside_steps = 0;  // of the chain from one row that waits to the next
};

/// What workers divide of the one loop that a kernel is: nothing, its iterations, the pairs of them and those
/// of the one loop inside, the panels or the tiles of rows.
enum class Share : std::uint8_t { kNothing, kIterations, kPairs, kPanels, kTiles };

/// The two forms of a compiled step; both compute the same bits.
enum class StepForm : std::uint8_t {
  kLoops,     // a function for each kernel: loops, vectors and tiles, for any number of rows
  kStraight,  // kernels inside the entry, loops written out, states and arena in registers; for whole
              // batches, with loops beside it for the smaller batch at the end of an epoch
};

struct Loop;

/// A statement: exactly one of the three.
struct Statement {
  std::optional<Instruction> instruction;
  std::optional<StoreInstruction> store;
  std::vector<Loop> loop;  // empty or one (a vector because Loop is incomplete here)
};

using Body = std::vector<Statement>;

struct Loop {
  LoopKind kind = LoopKind::kSerial;
  VarId var;
  std::string name;         // readable: b, o, k
  std::int64_t extent = 0;  // kBatch: the number of valid rows
  std::int64_t step = 1;    // > 1: kSerial only, a loop over blocks (k in steps of 256)
  VarId block;  // if valid: iterates from value(block) to min(value(block) + the block loop's step, extent)
  std::vector<Loop> around;  // kLanes: more loops, from outermost to innermost: variable, extent, block
  std::vector<Carried> carried;
  Body body;
  Body combine;  // kLanes: instructions only; joins two lanes of all carried values at once
  std::optional<LoopSchedule> schedule = {};  // in a scheduled program, of what is taken in panels
  /// What is left out beside, without shifting other iterations: v is iterated if `lower` <= v * divisor and
  /// (v + 1) * divisor <= `upper` for each of them, which rounds up and down. `extent` stays what is proved
  /// with.
  std::vector<Bound> lower = {};
  std::vector<Bound> upper = {};
  std::vector<Panel> straight = {};  // in a straight step, of independent iterations: whole vectors of them
};

/// A function over buffers: no state of its own.
struct Kernel {
  std::string name;  // "net.h"
  Body body;
  std::uint32_t var_count = 0;
  std::uint32_t reg_count = 0;
  SourceRange origin;
  std::string comment;  // names of the graph nodes it computes
  Share share = Share::kNothing;
  std::vector<RegId> ahead = {};  // in a straight step: what the step before has computed for this one
};

/// How often the body of `loop` runs at `batch` rows, so that a loop over blocks and the one inside count
/// together what there is. At most: a bound that depends on another loop is not looked at.
double iterations(const Loop& loop, std::int64_t batch);

/// Whether iterations of such a loop may run in any order.
inline bool is_independent(LoopKind kind) {
  return kind == LoopKind::kParallel || kind == LoopKind::kVector;
}

/// Copies a whole buffer at the end of the step: an effect that was not done in place.
struct Copy {
  BufferId from;
  BufferId to;
};

/// What is decided of a program as a whole before it is compiled for a core.
struct ProgramSchedule {
  std::string core;  // its name (ir/loop/core.h)
  StepForm form = StepForm::kLoops;
  std::int64_t scratch_bytes = 0;  // of each worker, for what is packed
};

/// One step: the kernels in order; after `kernels_before_stop_test` of them loss, weight and fault are known
/// and the stop test may leave the step; no kernel before it writes a state. Then the copies.
struct Program {
  std::int64_t batch = 1;
  IdVector<BufferId, Buffer> buffers;
  std::vector<Kernel> kernels;
  std::vector<Copy> copies;
  std::int64_t arena_bytes = 0;
  std::int64_t state_bytes = 0;
  std::int64_t output_bytes = 0;
  std::size_t kernels_before_stop_test = 0;
  BufferId loss;  // kOutput f32/f64 []; invalid when the program has none (eval, predict)
  std::optional<ProgramSchedule> schedule = {};
  BufferId fault;   // kOutput f32/f64 []: not 0 where the step must not be made; invalid where it always can
  BufferId weight;  // kOutput f32/f64 []: what the loss counts in a mean; invalid: the rows of the batch

  std::optional<BufferId> find_buffer(BufferKind kind, std::string_view source) const;
};

}  // namespace dlg::loop
