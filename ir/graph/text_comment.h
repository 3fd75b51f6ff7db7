// Owns the comments of textual IR: places, aliases and laws behind a line, written and read back.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "ir/graph/graph.h"
#include "support/source.h"

namespace dlg {

/// "  ; net.dlg:14, net.dlg:20  also t, u  law mul.one"; empty if there is nothing to say.
std::string node_comment(const NodeInfo& info, const Sources& sources);
/// "  ; net.dlg:14", or nothing for an unknown place.
std::string place_comment(SourceRange origin, const Sources& sources);

/// A file and a line in it.
struct Place {
  std::string file;
  std::int64_t line = 0;
};

/// A comment as read. A comment of any other form is only a comment: everything is empty.
struct Comment {
  std::vector<Place> places;
  std::vector<std::string> aliases;
  std::vector<std::string> laws;
};

/// `text` is what stands behind the `;`.
Comment read_comment(std::string_view text);

/// The files that comments name. Their texts are unknown, so a stand-in with enough empty lines is added to
/// the sources: a place in it has the right name and line, which is all a dump prints.
class CommentFiles {
 public:
  /// Reads the comments of all lines of `text`.
  CommentFiles(Sources& sources, std::string_view text);
  /// The start of the place's line.
  SourceRange range(const Place& place) const;

 private:
  std::map<std::string, FileId> files_;
};

}  // namespace dlg
