#include "runtime/byte_source.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "support/check.h"

namespace dlg {

std::optional<ByteSource> ByteSource::open(const FileRequest& file, Diagnostics& diagnostics) {
  std::optional<Descriptor> opened = open_regular(file, diagnostics);
  if (!opened) return std::nullopt;
  struct stat info = {};
  if (::fstat(opened->get(), &info) != 0) {
    report_unreadable(file, std::strerror(errno), diagnostics);
    return std::nullopt;
  }
  return ByteSource(*std::move(opened), {}, info.st_size);
}

ByteSource ByteSource::of(std::string_view bytes) {
  return {Descriptor(-1), bytes, static_cast<std::int64_t>(bytes.size())};
}

bool ByteSource::read(std::int64_t offset, std::span<char> to, const FileRequest& file,
                      Diagnostics& diagnostics) const {
  DLG_CHECK(offset >= 0 && offset <= size_ && std::cmp_less_equal(to.size(), size_ - offset),
            "a reader stays inside of its file");
  if (!file_.is_open()) {
    std::copy_n(bytes_.begin() + offset, to.size(), to.begin());
    return true;
  }
  while (!to.empty()) {
    const ssize_t count = ::pread(file_.get(), to.data(), to.size(), offset);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      const char* reason = count < 0 ? std::strerror(errno) : "it became shorter while it was read";
      report_unreadable(file, reason, diagnostics);
      return false;
    }
    to = to.subspan(static_cast<std::size_t>(count));
    offset += count;
  }
  return true;
}

}  // namespace dlg
