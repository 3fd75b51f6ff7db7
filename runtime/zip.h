// Owns the strict reader of zip archives: the directory at their end, and single members.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/byte_source.h"
#include "runtime/memory.h"

namespace dlg {

/// What the directory says of a member. Its bytes are known to lie before the directory.
struct ZipMember {
  std::string name;
  std::int64_t header = 0;  // where its own header begins
  std::int64_t packed = 0;  // bytes in the archive
  std::int64_t size = 0;    // bytes once they are unpacked
  std::uint32_t checksum = 0;
  int method = 0;
  bool is_encrypted = false;
};

/// Reads the directory. Errors: no end record, more than one disk, a directory that does not lie right before
/// the end record or holds another number of members, members that lie outside of the file, two of one name.
/// Names are compared and shown, never opened.
std::optional<std::vector<ZipMember>> read_zip_directory(const NamedSource& archive);

/// Takes a look at the first bytes of a member, before the rest is unpacked: false after a diagnostic.
using LookAtFront = std::function<bool(std::string_view front)>;

/// The bytes of a member. `look` sees the first `front_bytes` of them, or all. Errors: encrypted, a method
/// other than stored and deflate, a header that contradicts the directory, more bytes than packed ones of
/// this size can make or than there is memory for, more or fewer than the directory says, a wrong checksum.
std::optional<AlignedBytes> read_zip_member(const NamedSource& archive, const ZipMember& member,
                                            std::int64_t front_bytes, const LookAtFront& look);

}  // namespace dlg
