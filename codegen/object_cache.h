// Owns the folder of compiled objects: entries by content hash, checked when read, replaced in one step, of
// bounded size. Whatever fails, the caller compiles.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dlg {

/// A BLAKE3 hash of everything that an object depends on.
using CacheKey = std::array<std::uint8_t, 32>;

/// The key of these texts in this order; where one ends and the next begins is part of it.
CacheKey cache_key(std::initializer_list<std::string_view> texts);

class ObjectCache {
 public:
  /// Beyond it the entries that were not used for longest go.
  static constexpr std::int64_t kMostBytes = std::int64_t{256} << 20;

  /// An empty folder name: nothing is found and nothing is kept.
  explicit ObjectCache(std::string folder, std::int64_t most_bytes = kMostBytes)
      : folder_(std::move(folder)), most_bytes_(most_bytes) {}

  /// The object stored under `key`. nullopt: there is none, it is damaged, or it is not ours alone (another
  /// owner, or others may write it).
  std::optional<std::string> load(const CacheKey& key) const;

  /// Stores an object, or does nothing where that is not possible.
  void store(const CacheKey& key, std::string_view object) const;

 private:
  std::string path_of(const CacheKey& key) const;
  bool make_folder() const;
  void trim() const;

  std::string folder_;
  std::int64_t most_bytes_;
};

/// Several objects as one, and the objects of such a text.
std::string joined(const std::vector<std::string>& objects);
std::vector<std::string> separated(std::string_view text);

/// $DLG_CACHE_DIR (set but empty: no cache), else $XDG_CACHE_HOME/dlg, else ~/.cache/dlg; empty without any
/// of them.
std::string cache_folder();

}  // namespace dlg
