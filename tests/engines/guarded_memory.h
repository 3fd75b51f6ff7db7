// Owns memory in which every piece stands alone, on pages of its own between pages that nobody may touch.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace dlg::test {

/// Which end of a piece lies against a closed page. At the other end are some bytes up to the next closed
/// page: they hold a pattern that reads as NaN in f32 and f64 and as a large integer, and that nobody may
/// change.
enum class Edge : std::uint8_t { kStart, kEnd };

struct Piece {
  std::string name;
  std::int64_t bytes = 0;
  /// What its end is rounded up to before a closed page may begin. Compiled code may read the bytes between,
  /// as long as no result depends on them.
  std::int64_t unit = 64;
  std::int64_t lead = 0;    // bytes left free before it where it is flush with the start
  std::int64_t offset = 0;  // from the beginning of the block
};

/// Gives each piece its offset: pages of its own with a closed one on both sides.
void lay_out(std::vector<Piece>& pieces, Edge edge);

/// The memory of laid-out pieces, all of it filled with the pattern.
class GuardedBlock {
 public:
  explicit GuardedBlock(std::vector<Piece> pieces);
  ~GuardedBlock();
  GuardedBlock(const GuardedBlock&) = delete;
  GuardedBlock& operator=(const GuardedBlock&) = delete;

  unsigned char* data() const { return begin_; }
  unsigned char* piece(std::size_t index) const { return begin_ + pieces_[index].offset; }
  /// The first byte outside of the pieces that has been written, in words.
  std::optional<std::string> damage() const;
  /// Whether the byte of the block is one of the pattern.
  bool is_untouched(const unsigned char* byte) const;
  /// "4 bytes behind the end of `w`", if the address lies in the block.
  std::optional<std::string> describe(const unsigned char* address) const;

 private:
  std::vector<Piece> pieces_;
  std::int64_t bytes_ = 0;
  unsigned char* begin_ = nullptr;
};

/// Runs `work`. An access to a closed page of a living block ends it at once: "reads 4 bytes behind the end
/// of `w`". Nothing that `work` calls between may need its destructor.
std::optional<std::string> run_between_guards(const std::function<void()>& work);

}  // namespace dlg::test
