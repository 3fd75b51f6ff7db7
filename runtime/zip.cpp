#include "runtime/zip.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <set>
#include <utility>

#include "runtime/inflate.h"
#include "runtime/utf8.h"
#include "support/arithmetic.h"
#include "support/memory_limit.h"

namespace dlg {
namespace {

constexpr Diag<std::string, std::string> kDamaged{DiagCode::ZipDamaged, Severity::kError,
                                                  "`{}` is no zip archive that can be read: {}"};
constexpr Diag<std::string, std::string, std::string> kMember{DiagCode::ZipMember, Severity::kError,
                                                              "the member `{}` of `{}` {}"};

constexpr std::string_view kLocalMark = "PK\x03\x04";
constexpr std::string_view kEntryMark = "PK\x01\x02";
constexpr std::string_view kEndMark = "PK\x05\x06";
constexpr std::string_view kLocator64Mark = "PK\x06\x07";
constexpr std::string_view kEnd64Mark = "PK\x06\x06";
constexpr std::int64_t kLocalBytes = 30;
constexpr std::int64_t kEntryBytes = 46;
constexpr std::int64_t kEndBytes = 22;
constexpr std::int64_t kLocator64Bytes = 20;
constexpr std::int64_t kEnd64Bytes = 56;
constexpr std::int64_t kLongestComment = 65535;
/// What stands in a field whose number needs 64 bits, which are elsewhere.
constexpr std::uint32_t kElsewhere = 0xffffffff;
constexpr std::uint32_t kElsewhere16 = 0xffff;
constexpr std::uint32_t kExtra64 = 1;
/// Bits of an entry's flags: encrypted, strongly encrypted.
constexpr std::uint32_t kEncryptedBits = 0x41;
constexpr int kStored = 0;
constexpr int kDeflate = 8;

/// A little-endian number of so many bytes.
std::uint64_t number_at(std::string_view bytes, std::size_t offset, std::size_t width) {
  std::uint64_t number = 0;
  std::memcpy(&number, bytes.substr(offset, width).data(), width);
  return number;
}

std::uint32_t u16_at(std::string_view bytes, std::size_t offset) {
  return static_cast<std::uint32_t>(number_at(bytes, offset, 2));
}

std::uint32_t u32_at(std::string_view bytes, std::size_t offset) {
  return static_cast<std::uint32_t>(number_at(bytes, offset, 4));
}

/// A size or place of 64 bits. What does not fit stays too large for every file.
std::int64_t i64_at(std::string_view bytes, std::size_t offset) {
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  return static_cast<std::int64_t>(std::min(number_at(bytes, offset, 8), kMost));
}

/// Where the directory lies and how many members it has.
struct DirectoryPlace {
  std::int64_t begin = 0;
  std::int64_t size = 0;
  std::int64_t members = 0;
  std::int64_t end = 0;  // where the record behind it begins
};

/// Reads the directory of one archive; the first thing that is wrong ends it.
class DirectoryReader {
 public:
  explicit DirectoryReader(const NamedSource& archive) : archive_(archive) {}

  std::optional<std::vector<ZipMember>> read() {
    const std::optional<DirectoryPlace> place = find_directory();
    if (!place || !check_place(*place)) return std::nullopt;
    const std::optional<std::string> bytes = bytes_at(place->begin, place->size);
    if (!bytes) return std::nullopt;
    std::vector<ZipMember> members;
    for (std::string_view rest = *bytes; !rest.empty();) {
      std::optional<ZipMember> member = take_entry(rest, place->begin);
      if (!member) return std::nullopt;
      members.push_back(*std::move(member));
    }
    if (!check_members(members, place->members)) return std::nullopt;
    return members;
  }

 private:
  std::nullopt_t damaged(const std::string& what) {
    archive_.diagnostics.report(archive_.file.range, kDamaged, archive_.file.name(), what)
        .note("`numpy.savez(\"a.npz\", x=x)` writes one");
    return std::nullopt;
  }

  std::optional<std::string> bytes_at(std::int64_t begin, std::int64_t size) {
    std::string bytes(static_cast<std::size_t>(size), '\0');
    if (!archive_.read(begin, bytes)) return std::nullopt;
    return bytes;
  }

  /// The end record stands last, with a comment behind it whose length it names.
  std::optional<DirectoryPlace> find_directory() {
    const std::int64_t size = archive_.size();
    const std::int64_t tail_size = std::min(size, kEndBytes + kLongestComment);
    const std::optional<std::string> tail = bytes_at(size - tail_size, tail_size);
    if (!tail) return std::nullopt;
    for (std::int64_t at = tail_size - kEndBytes; at >= 0; --at) {
      const std::string_view record = std::string_view(*tail).substr(static_cast<std::size_t>(at));
      const bool is_end = record.starts_with(kEndMark) && u16_at(record, 20) == record.size() - kEndBytes;
      if (is_end) return place_from(record, size - tail_size + at);
    }
    return damaged("it has no end record: it was cut short or is something else");
  }

  std::optional<DirectoryPlace> place_from(std::string_view record, std::int64_t at) {
    const bool is_one_disk = u16_at(record, 4) == 0 && u16_at(record, 6) == 0;
    if (!is_one_disk || u16_at(record, 8) != u16_at(record, 10))
      return damaged("it has several parts, expected one");
    DirectoryPlace place{u32_at(record, 16), u32_at(record, 12), u16_at(record, 10), at};
    const bool is_large =
        place.begin == kElsewhere || place.size == kElsewhere || place.members == kElsewhere16;
    return is_large && at >= kLocator64Bytes ? place64(place, at) : place;
  }

  /// The same from the record for large archives, which a locator right before the end record points to.
  /// Without a locator the numbers are meant as they are.
  std::optional<DirectoryPlace> place64(const DirectoryPlace& small, std::int64_t end) {
    const std::optional<std::string> locator = bytes_at(end - kLocator64Bytes, kLocator64Bytes);
    if (!locator) return std::nullopt;
    if (!locator->starts_with(kLocator64Mark)) return small;
    const std::int64_t at = i64_at(*locator, 8);
    if (at > end - kLocator64Bytes - kEnd64Bytes)
      return damaged("the record of its 64-bit sizes lies outside of it");
    const std::optional<std::string> record = bytes_at(at, kEnd64Bytes);
    if (!record) return std::nullopt;
    if (!record->starts_with(kEnd64Mark))
      return damaged("the record of its 64-bit sizes is not where it should be");
    return DirectoryPlace{i64_at(*record, 48), i64_at(*record, 40), i64_at(*record, 32), at};
  }

  bool check_place(const DirectoryPlace& place) {
    const std::optional<std::int64_t> end = checked_add(place.begin, place.size);
    if (end && *end == place.end) return true;
    damaged(fmt::format(
        "its directory of {} bytes at byte {} does not end where its end record begins, at byte {}",
        place.size, place.begin, place.end));
    return false;
  }

  /// Takes the first entry off. `limit`: members lie before it.
  std::optional<ZipMember> take_entry(std::string_view& rest, std::int64_t limit) {
    if (std::cmp_less(rest.size(), kEntryBytes) || !rest.starts_with(kEntryMark))
      return damaged("its directory is damaged");
    const std::size_t name_size = u16_at(rest, 28);
    const std::size_t extra_size = u16_at(rest, 30);
    const std::size_t size = kEntryBytes + name_size + extra_size + u16_at(rest, 32);
    if (size > rest.size()) return damaged("its directory is damaged");
    ZipMember member;
    member.name = rest.substr(kEntryBytes, name_size);
    member.is_encrypted = (u16_at(rest, 8) & kEncryptedBits) != 0;
    member.method = static_cast<int>(u16_at(rest, 10));
    member.checksum = u32_at(rest, 16);
    member.packed = u32_at(rest, 20);
    member.size = u32_at(rest, 24);
    member.header = u32_at(rest, 42);
    const std::string_view extra = rest.substr(kEntryBytes + name_size, extra_size);
    if (!take_sizes64(extra, member))
      return damaged(fmt::format("the 64-bit sizes of its member `{}` are missing", shown(member)));
    rest.remove_prefix(size);
    const std::optional<std::int64_t> least_end =
        checked_add(saturated_add(member.header, kLocalBytes), member.packed);
    if (!least_end || *least_end > limit)
      return damaged(fmt::format("its member `{}` would lie outside of it", shown(member)));
    return member;
  }

  /// The numbers that need 64 bits stand in an extra field: of size, packed size and place those that are
  /// missing, in this order.
  static bool take_sizes64(std::string_view extra, ZipMember& member) {
    std::vector<std::int64_t*> missing;
    for (std::int64_t* number : {&member.size, &member.packed, &member.header}) {
      if (*number == kElsewhere) missing.push_back(number);
    }
    if (missing.empty()) return true;
    while (extra.size() >= 4) {
      const std::size_t size = u16_at(extra, 2);
      if (size > extra.size() - 4) return false;
      if (u16_at(extra, 0) != kExtra64) {
        extra.remove_prefix(4 + size);
        continue;
      }
      if (size < 8 * missing.size()) return false;
      for (std::size_t i = 0; i < missing.size(); ++i) *missing[i] = i64_at(extra, 4 + 8 * i);
      return true;
    }
    return false;
  }

  bool check_members(const std::vector<ZipMember>& members, std::int64_t claimed) {
    if (!std::cmp_equal(members.size(), claimed)) {
      damaged(
          fmt::format("its directory has {} members, but its end record says {}", members.size(), claimed));
      return false;
    }
    std::set<std::string_view> names;
    for (const ZipMember& member : members) {
      if (names.insert(member.name).second) continue;
      damaged(fmt::format("it has two members `{}`", shown(member)));
      return false;
    }
    return true;
  }

  static std::string shown(const ZipMember& member) { return is_utf8(member.name) ? member.name : "?"; }

  const NamedSource& archive_;
};

/// Reads one member; the first thing that is wrong ends it.
class MemberReader {
 public:
  MemberReader(const NamedSource& archive, const ZipMember& member) : archive_(archive), member_(member) {}

  std::optional<AlignedBytes> read(std::int64_t front_bytes, const LookAtFront& look) {
    const std::optional<std::int64_t> begin = check() ? find_data() : std::nullopt;
    if (!begin) return std::nullopt;
    const PackedBytes packed{*begin, *begin + member_.packed, Wrapping::kNone};
    const std::int64_t most = is_stored() ? member_.packed : packed.most_bytes();
    if (is_stored() ? member_.size != most : member_.size > most)
      return bad(fmt::format("would have {} bytes, but its {} packed bytes hold at most {}", member_.size,
                             member_.packed, most));
    if (!is_stored()) inflater_.emplace(archive_, packed);
    next_ = *begin;
    AlignedBytes bytes(static_cast<std::size_t>(std::min(front_bytes, member_.size)));
    if (!fill(bytes) || !look({bytes.data(), bytes.size()})) return std::nullopt;
    if (member_.size > memory_limit())
      return bad(fmt::format("has {} bytes, more than there is memory for", member_.size));
    const std::size_t front = bytes.size();
    bytes.resize(static_cast<std::size_t>(member_.size));
    if (!fill(std::span(bytes).subspan(front)) || !check_end(bytes)) return std::nullopt;
    return bytes;
  }

 private:
  std::nullopt_t bad(const std::string& what, std::string_view help = "") {
    Report report =
        archive_.diagnostics.report(archive_.file.range, kMember, member_.name, archive_.file.name(), what);
    if (!help.empty()) report.note(std::string(help));
    return std::nullopt;
  }

  bool is_stored() const { return member_.method == kStored; }

  bool check() {
    if (member_.is_encrypted) {
      bad("is encrypted", "write the archive without a password");
    } else if (member_.method != kStored && member_.method != kDeflate) {
      bad(fmt::format("is packed by method {}, expected 0 (stored) or 8 (deflate)", member_.method),
          "`numpy.savez` and `numpy.savez_compressed` write these");
    } else {
      return true;
    }
    return false;
  }

  /// The member has a header of its own, whose name and method are those of the directory.
  std::optional<std::int64_t> find_data() {
    std::string header(kLocalBytes, '\0');
    if (!archive_.read(member_.header, header)) return std::nullopt;
    if (!header.starts_with(kLocalMark))
      return bad(fmt::format("has no header at byte {}, where the directory says", member_.header));
    const std::int64_t name_size = u16_at(header, 26);
    const std::int64_t begin = member_.header + kLocalBytes + name_size + u16_at(header, 28);
    if (begin > archive_.size() - member_.packed) return bad("would lie outside of the file");
    std::string name(static_cast<std::size_t>(name_size), '\0');
    if (!archive_.read(member_.header + kLocalBytes, name)) return std::nullopt;
    const bool is_same = name == member_.name && std::cmp_equal(u16_at(header, 8), member_.method);
    if (!is_same)
      return bad(fmt::format("has another header at byte {} than the directory says", member_.header));
    return begin;
  }

  /// The next bytes, all of which the directory promises.
  bool fill(std::span<char> to) {
    if (is_stored()) {
      const std::int64_t at = std::exchange(next_, next_ + static_cast<std::int64_t>(to.size()));
      return archive_.read(at, to);
    }
    const std::optional<std::int64_t> count = inflater_->read(to);
    if (!count) return false;
    if (std::cmp_equal(*count, to.size())) return true;
    bad(fmt::format("unpacks to fewer than the {} bytes that the directory says", member_.size));
    return false;
  }

  bool check_end(const AlignedBytes& bytes) {
    std::array<char, 1> more{};
    const std::optional<std::int64_t> rest = inflater_ ? inflater_->read(more) : 0;
    if (!rest) return false;
    if (*rest > 0) {
      bad(fmt::format("unpacks to more than the {} bytes that the directory says", member_.size));
      return false;
    }
    const auto* data = reinterpret_cast<const Bytef*>(bytes.data());
    if (::crc32_z(0, data, bytes.size()) == member_.checksum) return true;
    bad("has another checksum than the directory says", "copy or download the file again");
    return false;
  }

  const NamedSource& archive_;
  const ZipMember& member_;
  std::optional<Inflater> inflater_;
  std::int64_t next_ = 0;  // of a stored member
};

}  // namespace

std::optional<std::vector<ZipMember>> read_zip_directory(const NamedSource& archive) {
  return DirectoryReader(archive).read();
}

std::optional<AlignedBytes> read_zip_member(const NamedSource& archive, const ZipMember& member,
                                            std::int64_t front_bytes, const LookAtFront& look) {
  return MemberReader(archive, member).read(front_bytes, look);
}

}  // namespace dlg
