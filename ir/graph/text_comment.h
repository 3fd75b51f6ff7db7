// Owns the comments of textual IR: places, aliases and laws behind a line, written and read back.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ir/graph/graph.h"
#include "ir/graph/named_places.h"
#include "support/source.h"

namespace dlg {

/// "  ; net.dlg:14, net.dlg:20  also t, u  law mul.one"; empty if there is nothing to say.
std::string node_comment(const NodeInfo& info, const Sources& sources);
/// "  ; net.dlg:14", or nothing for an unknown place.
std::string place_comment(SourceRange origin, const Sources& sources);

/// "  ; net.dlg:14 computes t, u", of a kernel; empty if there is nothing to say.
std::string kernel_comment(SourceRange origin, std::string_view computes, const Sources& sources);

/// A comment as read. A comment of any other form is only a comment: everything is empty.
struct Comment {
  std::vector<NamedPlace> places;
  std::vector<std::string> aliases;
  std::vector<std::string> laws;
  std::string computes;  // the rest of the line
};

/// `text` is what stands behind the `;`.
Comment read_comment(std::string_view text);

/// The places in the comments of all lines of `text`, their stand-ins added to `sources`.
NamedPlaces places_of_comments(Sources& sources, std::string_view text);

}  // namespace dlg
