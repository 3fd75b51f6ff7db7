// Owns what bodies and nests of loops are made of: groups of instructions, contractions, their chains, and
// what is done to the sums.
#pragma once

#include <cstdint>
#include <vector>

#include "ir/loop/loop_ir.h"

namespace dlg::loop {

/// How many statements from `body[first]` on are computed together: it and those that join it.
std::size_t group_size(const Body& body, std::size_t first);

/// Whether a register stands in an index of the element that `load` reads: a row of the data, say.
bool has_computed_index(const Instruction& load);

/// Whether a loop stands in `body`.
bool has_loops(const Body& body);

/// Whether the iterations of `loop` can be taken side by side: none is left out, and what is left out inside
/// is the same in each. Only such loops are taken in panels and tiles.
bool is_uniform(const Loop& loop);

/// Whether `rows` is a parallel loop over a vector loop with chains in it, and nothing else that loops; both
/// uniform.
bool is_tileable(const Loop& rows);

/// Whether such a nest stands in `body` or its loops.
bool has_tiles(const Body& body);

/// Whether the iterations of the parallel loop `rows` are contractions in lanes, and nothing else that loops:
/// they can be taken some side by side, each with lanes of its own.
bool has_lanes_in_rows(const Loop& rows);

/// The vector loop of such a nest.
const Loop& column_loop(const Loop& rows);

/// The statements of such a nest: the chains with what they need, then all else, which would only hold
/// registers meanwhile.
struct TileParts {
  std::vector<const Statement*> chains;
  std::vector<const Statement*> after;
};
TileParts tile_parts(const Loop& rows);

/// The one chain of `parts`; null: there are more, or it is none that can be left and entered between steps,
/// as where it has bounds.
const Loop* single_chain(const TileParts& parts);
/// The one chain of `parts` whose outermost loop can run outside of all others: a plain loop over shorter
/// chains, of known length. null: there is none.
const Loop* chain_of_chains(const TileParts& parts);

/// The one loop that `body` is, instructions before it aside. nullptr: it is something else.
const Loop* only_loop(const Body& body);

/// Nested independent loops that a body is, instructions before each of them aside: from the outermost to the
/// rows of tiles.
using LoopPath = std::vector<const Loop*>;
/// Empty: `body` is none.
LoopPath path_to_tiles(const Body& body);
/// Of one whose sums wait in scratch: how many elements there are of one carried value, of them in a row.
struct WaitingExtents {
  std::int64_t elements = 1;
  std::int64_t row = 1;
};
WaitingExtents waiting_extents(const LoopPath& path);
/// Whether a kernel is one whose sums wait.
bool has_waiting_sums(const Body& body);
/// Whether such sums have a place: everything is of known length, and nothing is stored between the loops.
bool may_wait(const LoopPath& path);
/// Lets those of a scheduled kernel wait that may: without copies, which belong to whole chains.
void let_sums_wait(Body& body);

/// The one loop inside of the one loop that `body` is, if the iterations of both may run in any order, one by
/// one: pairs of them may be divided among workers. nullptr: there is none.
const Loop* inner_of_pairs(const Body& body);

/// The statement in which a block of such a chain runs.
Body::const_iterator block_in(const Loop& chain);
/// What runs over single steps: the chain, or its loop over a block.
const Loop& steps_of(const Loop& chain);

/// Bytes of the widest float that `body` computes with, 4 at least.
std::int64_t widest_element(const Body& body);

}  // namespace dlg::loop
