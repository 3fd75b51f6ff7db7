// Owns places that a text only names, as `net.dlg:14` in a comment of textual IR. The named files are
// unknown: a stand-in with enough empty lines is added to the sources, and a place in it has the right name
// and line, which is all a dump prints.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "support/source.h"

namespace dlg {

/// A file and a line in it, from 1.
struct NamedPlace {
  std::string file;
  std::int64_t line = 0;
};

class NamedPlaces {
 public:
  void note(const NamedPlace& place);
  /// Adds the stand-ins of all noted places: a million lines at most, whatever a text claims.
  void add_to(Sources& sources);
  /// The start of a noted place's line; invalid if its file is beyond that limit.
  SourceRange range(const NamedPlace& place) const;

 private:
  std::map<std::string, std::int64_t> last_lines_;
  std::map<std::string, FileId> files_;
};

}  // namespace dlg
