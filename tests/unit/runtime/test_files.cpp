// Owns the tests of whole files and of memory blocks.
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <csignal>

#include "runtime/files.h"
#include "runtime/memory.h"
#include "tests/catch.h"
#include "tests/unit/runtime/helpers.h"

namespace dlg {
namespace {

std::size_t entries(const std::string& folder) {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder)) ++count;
  return count;
}

/// While it lives, the system refuses to let a file grow beyond `bytes`, as a full disk would.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : old_handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &old_);
    const rlimit limit = {bytes, old_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &old_);
    std::signal(SIGXFSZ, old_handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit old_ = {};
  void (*old_handler_)(int);
};

}  // namespace

TEST_CASE("a file is replaced as a whole") {
  const TestFolder folder;
  Diagnostics diagnostics;
  const std::string large(3'000'001, 'x');
  CHECK(write_file({folder / "a", "", {}}, "old", diagnostics));
  CHECK(write_file({folder / "a", "", {}}, large, diagnostics));
  CHECK(read_file({folder / "a", "", {}}, diagnostics) == large);
  CHECK(entries(folder.path()) == 1);
  CHECK_FALSE(diagnostics.has_errors());
}

TEST_CASE("a refused write leaves nothing behind") {
  const TestFolder folder;
  std::filesystem::create_directory(folder / "taken");
  put_file(folder / "taken/inside", "kept");
  Diagnostics diagnostics;
  CHECK_FALSE(write_file({folder / "taken", "taken", {}}, "new", diagnostics));
  CHECK_FALSE(write_file({folder / "no/such", "no/such", {}}, "new", diagnostics));
  CHECK(entries(folder.path()) == 1);
  CHECK(file_bytes(folder / "taken/inside") == "kept");
  CHECK(diagnostics_text(diagnostics) ==
        "DLG0913 `taken` cannot be written: Is a directory\n"
        "DLG0913 `no/such` cannot be written: No such file or directory");
  CHECK(diagnostics.exit_code() == 3);
}

TEST_CASE("a write that breaks off keeps the old file") {
  const TestFolder folder;
  Diagnostics diagnostics;
  REQUIRE(write_file({folder / "a", "a", {}}, "old", diagnostics));
  const FileSizeLimit limit(1000);
  CHECK_FALSE(write_file({folder / "a", "a", {}}, std::string(5000, 'x'), diagnostics));
  CHECK(diagnostics_text(diagnostics) == "DLG0913 `a` cannot be written: File too large");
  CHECK(file_bytes(folder / "a") == "old");
  CHECK(entries(folder.path()) == 1);
}

TEST_CASE("a named pipe does not block the reader") {
  const TestFolder folder;
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  Diagnostics diagnostics;
  CHECK_FALSE(read_file({folder / "pipe", "pipe", {}}, diagnostics));
  CHECK(diagnostics_text(diagnostics) == "DLG0912 `pipe` cannot be read: it is not a regular file");
}

TEST_CASE("blocks are aligned, zeroed and guarded") {
  for (const std::int64_t bytes : {std::int64_t{0}, std::int64_t{1}, std::int64_t{64}, std::int64_t{1000}}) {
    const auto block = AlignedBlock::allocate(bytes);
    REQUIRE(block);
    CHECK(reinterpret_cast<std::uintptr_t>(block->data()) % 64 == 0);
    CHECK(std::count(block->data(), block->data() + bytes, 0) == bytes);
    CHECK(block->guards_intact());
    block->data()[bytes] = 0;
    CHECK_FALSE(block->guards_intact());
  }
  const auto block = AlignedBlock::allocate(8);
  block->data()[-1] = 0;
  CHECK_FALSE(block->guards_intact());
}

TEST_CASE("memory that nobody has") {
  CHECK_FALSE(AlignedBlock::allocate(-1));
  CHECK_FALSE(AlignedBlock::allocate(INT64_MAX));
  Diagnostics diagnostics;
  CHECK_FALSE(StepMemory::allocate({INT64_MAX - 1000, 8, 8}, {}, diagnostics));
  CHECK(diagnostics_text(diagnostics) == "DLG0915 out of memory: 9223372036854774807 more bytes were needed");
}

}  // namespace dlg
