#include "tests/engines/guarded_memory.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csetjmp>
#include <csignal>
#include <cstring>

#include "support/check.h"

namespace dlg::test {
namespace {

constexpr std::int64_t kPage = 4096;
/// A quiet NaN as f32, twice one as f64.
constexpr std::array<unsigned char, 4> kPattern{0xa9, 0xc3, 0xfd, 0x7f};

std::int64_t rounded(std::int64_t bytes, std::int64_t unit) {
  return (bytes + unit - 1) / unit * unit;
}

std::int64_t first_page(const Piece& piece) {
  return piece.offset / kPage * kPage;
}

std::int64_t end_of_pages(const Piece& piece) {
  return rounded(std::max(piece.offset + piece.bytes, first_page(piece) + 1), kPage);
}

/// The blocks that live now, and where to go on when one of their closed pages is touched.
struct Watch {
  std::vector<const GuardedBlock*> blocks;
  sigjmp_buf* back = nullptr;
  const unsigned char* address = nullptr;
  bool is_write = false;
};

Watch& watch() {
  static Watch only;
  return only;
}

void on_fault(int signal, siginfo_t* info, void* machine) {
  constexpr greg_t kWrote = 2;
  Watch& now = watch();
  if (now.back == nullptr) {
    std::signal(signal, SIG_DFL);
    return;
  }
  now.address = static_cast<const unsigned char*>(info->si_addr);
  now.is_write = (static_cast<const ucontext_t*>(machine)->uc_mcontext.gregs[REG_ERR] & kWrote) != 0;
  siglongjmp(*now.back, 1);
}

/// Faults are looked at while it lives; the frame around a test has a handler of its own.
class FaultHandler {
 public:
  explicit FaultHandler(sigjmp_buf& back) {
    struct sigaction action = {};
    action.sa_sigaction = on_fault;
    action.sa_flags = SA_SIGINFO;
    DLG_CHECK(watch().back == nullptr && sigaction(SIGSEGV, &action, &before_) == 0,
              "faults cannot be watched");
    watch().back = &back;
  }
  ~FaultHandler() {
    watch().back = nullptr;
    sigaction(SIGSEGV, &before_, nullptr);
  }
  FaultHandler(const FaultHandler&) = delete;
  FaultHandler& operator=(const FaultHandler&) = delete;

 private:
  struct sigaction before_ = {};
};

}  // namespace

void lay_out(std::vector<Piece>& pieces, Edge edge) {
  std::int64_t closed = 0;
  for (Piece& piece : pieces) {
    const std::int64_t bytes = rounded(piece.bytes, piece.unit);
    const std::int64_t pages = rounded(std::max<std::int64_t>(1, piece.lead + bytes), kPage);
    const std::int64_t first = closed + kPage;
    piece.offset = edge == Edge::kStart ? first + piece.lead : first + pages - bytes;
    closed = first + pages;
  }
}

GuardedBlock::GuardedBlock(std::vector<Piece> pieces) : pieces_(std::move(pieces)) {
  bytes_ = kPage + (pieces_.empty() ? 0 : end_of_pages(pieces_.back()));
  void* memory =
      mmap(nullptr, static_cast<std::size_t>(bytes_), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  DLG_CHECK(memory != MAP_FAILED, "no memory between guards");
  begin_ = static_cast<unsigned char*>(memory);
  for (const Piece& piece : pieces_) {
    unsigned char* first = begin_ + first_page(piece);
    const auto size = static_cast<std::size_t>(end_of_pages(piece) - first_page(piece));
    DLG_CHECK(mprotect(first, size, PROT_READ | PROT_WRITE) == 0, "a page cannot be opened");
    for (std::size_t i = 0; i < size; i += kPattern.size())
      std::memcpy(first + i, kPattern.data(), kPattern.size());
  }
  watch().blocks.push_back(this);
}

GuardedBlock::~GuardedBlock() {
  std::erase(watch().blocks, this);
  munmap(begin_, static_cast<std::size_t>(bytes_));
}

bool GuardedBlock::is_untouched(const unsigned char* byte) const {
  return *byte == kPattern[static_cast<std::size_t>(byte - begin_) % kPattern.size()];
}

std::optional<std::string> GuardedBlock::damage() const {
  for (const Piece& piece : pieces_) {
    for (std::int64_t i = first_page(piece); i < end_of_pages(piece); ++i) {
      if (i == piece.offset) i += piece.bytes;
      if (i >= end_of_pages(piece)) break;
      if (!is_untouched(begin_ + i)) return "has written " + describe(begin_ + i).value_or("somewhere");
    }
  }
  return std::nullopt;
}

std::optional<std::string> GuardedBlock::describe(const unsigned char* address) const {
  const std::int64_t at = address - begin_;
  if (at < 0 || at >= bytes_ || pieces_.empty()) return std::nullopt;
  const auto distance = [at](const Piece& piece) {
    return std::max(piece.offset - at, at - piece.offset - piece.bytes + 1);
  };
  const Piece& nearest =
      *std::min_element(pieces_.begin(), pieces_.end(),
                        [&](const Piece& a, const Piece& b) { return distance(a) < distance(b); });
  return fmt::format("{} bytes {} of `{}`", distance(nearest),
                     at < nearest.offset ? "before the start" : "behind the end", nearest.name);
}

std::optional<std::string> run_between_guards(const std::function<void()>& work) {
  sigjmp_buf back;
  const FaultHandler handler(back);
  if (sigsetjmp(back, 1) == 0) {
    work();
    return std::nullopt;
  }
  const char* did = watch().is_write ? "writes" : "reads";
  for (const GuardedBlock* block : watch().blocks) {
    if (const auto place = block->describe(watch().address)) return fmt::format("{} {}", did, *place);
  }
  return fmt::format("{} at {}, which is no memory of the step", did,
                     static_cast<const void*>(watch().address));
}

}  // namespace dlg::test
