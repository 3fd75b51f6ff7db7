// Owns the proof that guarded memory finds what it is made for: an access just outside of a piece, on either
// side.
#include <cstring>

#include "tests/catch.h"
#include "tests/engines/guarded_memory.h"

using namespace dlg::test;

namespace {

/// Two pieces, the second one a bit longer than a line.
std::vector<Piece> two_pieces(Edge edge) {
  std::vector<Piece> pieces{{.name = "a", .bytes = 64}, {.name = "b", .bytes = 70}};
  lay_out(pieces, edge);
  return pieces;
}

std::optional<std::string> fault_at(const unsigned char* place) {
  return run_between_guards([&] {
    const volatile unsigned char* byte = place;
    static_cast<void>(*byte);
  });
}

}  // namespace

TEST_CASE("guarded memory: flush with the end, the next line is closed and the slack is watched") {
  const GuardedBlock block(two_pieces(Edge::kEnd));
  CHECK(reinterpret_cast<std::uintptr_t>(block.piece(1)) % 64 == 0);
  CHECK(fault_at(block.piece(1) + 69) == std::nullopt);
  CHECK(fault_at(block.piece(1) + 127) == std::nullopt);
  CHECK(fault_at(block.piece(1) + 128) == "reads 59 bytes behind the end of `b`");
  CHECK(fault_at(block.piece(0) + 64) == "reads 1 bytes behind the end of `a`");
  CHECK(block.damage() == std::nullopt);
  block.piece(1)[70] = 0;
  CHECK(block.damage() == "has written 1 bytes behind the end of `b`");
}

TEST_CASE("guarded memory: flush with the start, the byte before is closed") {
  const GuardedBlock block(two_pieces(Edge::kStart));
  CHECK(fault_at(block.piece(0)) == std::nullopt);
  CHECK(fault_at(block.piece(0) - 1) == "reads 1 bytes before the start of `a`");
  const auto fault = run_between_guards([&] { block.piece(1)[-4] = 1; });
  CHECK(fault == "writes 4 bytes before the start of `b`");
  CHECK(block.damage() == std::nullopt);
}

TEST_CASE("guarded memory: what nobody has written reads as NaN") {
  const GuardedBlock block(two_pieces(Edge::kEnd));
  float single = 0;
  double twice = 0;
  std::memcpy(&single, block.piece(0), sizeof single);
  std::memcpy(&twice, block.piece(0), sizeof twice);
  CHECK(single != single);
  CHECK(twice != twice);
}
