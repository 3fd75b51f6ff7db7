#include "runtime/npz.h"

#include <algorithm>
#include <vector>

#include "runtime/byte_source.h"
#include "runtime/npy.h"
#include "runtime/utf8.h"
#include "runtime/zip.h"
#include "support/text.h"

namespace dlg {
namespace {

constexpr Diag<std::string, std::string> kNoArray{DiagCode::NpzNoArray, Severity::kError,
                                                  "`{}` has no array `{}`"};

constexpr std::string_view kEnding = ".npy";

/// The names of the arrays, for messages.
std::vector<std::string> array_names(const std::vector<ZipMember>& members) {
  std::vector<std::string> names;
  for (const ZipMember& member : members) {
    if (!member.name.ends_with(kEnding) || !is_utf8(member.name)) continue;
    names.push_back(member.name.substr(0, member.name.size() - kEnding.size()));
  }
  return names;
}

void report_no_array(const NpzRequest& request, const std::vector<ZipMember>& members,
                     Diagnostics& diagnostics) {
  Report report = diagnostics.report(request.array_range, kNoArray, request.file.name(), request.array);
  std::vector<std::string> names = array_names(members);
  if (const auto near = nearest_name(request.array, names))
    report.note(fmt::format("did you mean `{}`?", *near));
  constexpr std::size_t kShown = 20;
  const bool is_cut = names.size() > kShown;
  names.resize(std::min(names.size(), kShown));
  if (names.empty()) {
    report.note("it has no arrays at all");
  } else {
    report.note(fmt::format("its arrays are {}{}", join_text(names, ", "), is_cut ? ", ..." : ""));
  }
}

std::optional<StoredRows> read_from(const ByteSource& source, const NpzRequest& request,
                                    Diagnostics& diagnostics) {
  const NamedSource archive{source, request.file, diagnostics};
  const std::optional<std::vector<ZipMember>> members = read_zip_directory(archive);
  if (!members) return std::nullopt;
  const std::string name = request.array + std::string(kEnding);
  const auto member = std::find_if(members->begin(), members->end(),
                                   [&](const ZipMember& candidate) { return candidate.name == name; });
  if (member == members->end()) {
    report_no_array(request, *members, diagnostics);
    return std::nullopt;
  }
  const FileRequest inside{request.file.path, request.file.name() + "/" + name, request.file.range};
  std::optional<AlignedBytes> bytes = read_zip_member(
      archive, *member, kNpyFrontBytes,
      [&](std::string_view front) { return check_npy_front(front, member->size, inside, diagnostics); });
  if (!bytes) return std::nullopt;
  return parse_npy(*std::move(bytes), inside, diagnostics);
}

}  // namespace

std::optional<StoredRows> read_npz(const NpzRequest& request, Diagnostics& diagnostics) {
  const std::optional<ByteSource> source = ByteSource::open(request.file, diagnostics);
  if (!source) return std::nullopt;
  return read_from(*source, request, diagnostics);
}

std::optional<StoredRows> parse_npz(std::string_view bytes, const NpzRequest& request,
                                    Diagnostics& diagnostics) {
  return read_from(ByteSource::of(bytes), request, diagnostics);
}

}  // namespace dlg
