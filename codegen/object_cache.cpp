#include "codegen/object_cache.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <llvm/ADT/ArrayRef.h>
#include <llvm/Support/BLAKE3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <vector>

namespace dlg {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMagic = "dlgobj1\n";
constexpr std::string_view kSuffix = ".o";
constexpr std::string_view kTemporarySuffix = ".tmp";
/// A temporary file older than this was left over by a process that died.
constexpr auto kAbandoned = std::chrono::hours(1);

/// What stands before the object in an entry.
struct Header {
  std::array<char, 8> magic = {};
  CacheKey key = {};
  CacheKey checksum = {};
  std::uint64_t size = 0;
};
static_assert(sizeof(Header) == 80, "no padding: the header is written as it lies in memory");

llvm::ArrayRef<std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

Header header_of(const CacheKey& key, std::string_view object) {
  Header header;
  std::copy(kMagic.begin(), kMagic.end(), header.magic.begin());
  header.key = key;
  header.checksum = cache_key({object});
  header.size = object.size();
  return header;
}

/// An open file that closes itself.
class Descriptor {
 public:
  Descriptor(const std::string& path, int flags)
      : fd_(::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, 0600)) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }

 private:
  int fd_;
};

/// Code is run as it lies in the file, so nobody else may have written it.
bool is_ours(const struct stat& info) {
  return info.st_uid == ::geteuid() && (info.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/// The bytes of a regular file that is ours alone; empty if it is not.
std::string read_ours(const std::string& path, std::int64_t most_bytes) {
  const Descriptor file(path, O_RDONLY | O_NONBLOCK);
  struct stat info = {};
  const bool is_good =
      file.is_open() && ::fstat(file.get(), &info) == 0 && S_ISREG(info.st_mode) && is_ours(info);
  if (!is_good || info.st_size > most_bytes) return "";
  std::string bytes(static_cast<std::size_t>(info.st_size), '\0');
  std::size_t filled = 0;
  while (filled < bytes.size()) {
    const ssize_t count = ::read(file.get(), bytes.data() + filled, bytes.size() - filled);
    if (count <= 0) return "";
    filled += static_cast<std::size_t>(count);
  }
  // The time of last use decides what goes first when the folder is full.
  ::futimens(file.get(), nullptr);
  return bytes;
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

struct Entry {
  fs::path path;
  std::int64_t bytes = 0;
  fs::file_time_type used;
};

/// The entries of the folder; abandoned temporary files are deleted on the way.
std::vector<Entry> entries_of(const std::string& folder) {
  std::vector<Entry> entries;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string extension = it->path().extension().string();
    std::error_code gone;
    const auto used = fs::last_write_time(it->path(), gone);
    const auto bytes = static_cast<std::int64_t>(gone ? 0 : fs::file_size(it->path(), gone));
    if (gone) continue;
    const bool is_abandoned =
        extension == kTemporarySuffix && used + kAbandoned < fs::file_time_type::clock::now();
    if (is_abandoned) fs::remove(it->path(), gone);
    if (extension == kSuffix) entries.push_back({it->path(), bytes, used});
  }
  return entries;
}

}  // namespace

CacheKey cache_key(std::initializer_list<std::string_view> texts) {
  llvm::BLAKE3 hasher;
  for (const std::string_view text : texts) {
    const std::uint64_t size = text.size();
    hasher.update(bytes_of({reinterpret_cast<const char*>(&size), sizeof size}));
    hasher.update(bytes_of(text));
  }
  return hasher.final<sizeof(CacheKey)>();
}

std::string ObjectCache::path_of(const CacheKey& key) const {
  return fmt::format("{}/{:02x}{}", folder_, fmt::join(key, ""), kSuffix);
}

bool ObjectCache::make_folder() const {
  std::error_code error;
  if (fs::create_directories(folder_, error)) fs::permissions(folder_, fs::perms::owner_all, error);
  struct stat info = {};
  return !error && ::stat(folder_.c_str(), &info) == 0 && S_ISDIR(info.st_mode) && is_ours(info);
}

std::optional<std::string> ObjectCache::load(const CacheKey& key) const {
  if (folder_.empty()) return std::nullopt;
  const std::string bytes = read_ours(path_of(key), most_bytes_);
  if (bytes.size() < sizeof(Header)) return std::nullopt;
  const std::string_view object = std::string_view(bytes).substr(sizeof(Header));
  const Header wanted = header_of(key, object);
  if (std::memcmp(&wanted, bytes.data(), sizeof wanted) != 0) return std::nullopt;
  return std::string(object);
}

void ObjectCache::store(const CacheKey& key, std::string_view object) const {
  const auto size = static_cast<std::int64_t>(sizeof(Header) + object.size());
  if (folder_.empty() || size > most_bytes_ || !make_folder()) return;
  const std::string path = path_of(key);
  // Of this process and this call: several threads may compile.
  static std::atomic<unsigned> stored{0};
  const std::string temporary = fmt::format("{}.{}-{}{}", path, ::getpid(), stored++, kTemporarySuffix);
  const Header header = header_of(key, object);
  const std::string_view header_bytes{reinterpret_cast<const char*>(&header), sizeof header};
  bool is_written = false;
  {
    const Descriptor file(temporary, O_WRONLY | O_CREAT | O_EXCL);
    if (!file.is_open()) return;
    is_written = write_all(file.get(), header_bytes) && write_all(file.get(), object);
  }
  // No sync: an entry that a crash left half written has a wrong checksum.
  if (!is_written || ::rename(temporary.c_str(), path.c_str()) != 0) ::unlink(temporary.c_str());
  trim();
}

void ObjectCache::trim() const {
  std::vector<Entry> entries = entries_of(folder_);
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.used < b.used; });
  std::int64_t total = 0;
  for (const Entry& entry : entries) total += entry.bytes;
  for (const Entry& entry : entries) {
    if (total <= most_bytes_) return;
    std::error_code ignored;
    fs::remove(entry.path, ignored);
    total -= entry.bytes;
  }
}

std::string joined(const std::vector<std::string>& objects) {
  std::string text;
  for (const std::string& object : objects) {
    const std::uint64_t size = object.size();
    text.append(reinterpret_cast<const char*>(&size), sizeof size);
    text += object;
  }
  return text;
}

std::vector<std::string> separated(std::string_view text) {
  std::vector<std::string> objects;
  while (!text.empty()) {
    std::uint64_t size = 0;
    std::memcpy(&size, text.data(), sizeof size);
    objects.emplace_back(text.substr(sizeof size, size));
    text.remove_prefix(sizeof size + size);
  }
  return objects;
}

std::string cache_folder() {
  const auto variable = [](const char* name) -> std::string {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
  };
  if (std::getenv("DLG_CACHE_DIR") != nullptr) return variable("DLG_CACHE_DIR");
  // A relative XDG_CACHE_HOME is to be ignored, says its specification.
  if (const std::string shared = variable("XDG_CACHE_HOME"); shared.starts_with('/')) return shared + "/dlg";
  const std::string home = variable("HOME");
  return home.empty() ? "" : home + "/.cache/dlg";
}

}  // namespace dlg
