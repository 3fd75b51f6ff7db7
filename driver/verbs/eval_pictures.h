// Owns what `dlg eval` draws of a run: its confusions, its worst mistakes, its filters.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "driver/cli/command_options.h"
#include "driver/engine/part_result.h"
#include "driver/pictures/classification.h"

namespace dlg {

struct EvalPictures {
  std::optional<std::string> confusion;  // --confusion; empty: the terminal
  std::string mistakes;                  // --mistakes
  std::string filters;                   // --filters
  std::string of;                        // --of: the parameter that is drawn
  std::string part;                      // --part; empty: the last that the data has
  std::uint64_t count = 25;              // --count: of mistakes
};
void add_options(CommandOptions& options, EvalPictures& pictures);

/// The files that may be written.
std::vector<std::string> outputs_of(const EvalPictures& wanted);
/// Whether all have an ending that says what they hold, no two are one file, and no option says nothing; else
/// a message, and the exit code is 2.
bool check_pictures(const EvalPictures& wanted, std::ostream& err);

/// A file before it is written.
struct PictureFile {
  std::string path;
  std::string bytes;
  std::string holds;                   // "16 filters of cnn.conv2d[0].W"
  std::vector<std::string> rows = {};  // what is said of single rows below
};

/// What the pictures of one call come to.
struct DrawnPictures {
  std::vector<PictureFile> files;
  std::string part;  // of the table
  std::optional<TableValue> table;
};

/// Draws all that is wanted and writes nothing. nullopt after an error.
std::optional<DrawnPictures> draw_pictures(const TrainedSetup& trained, const EvalPictures& wanted);

/// Writes the files; false after an error.
bool write_pictures(Session& session, const DrawnPictures& drawn);

/// The table, if it is for the terminal, and a line for each file.
std::string pictures_text(const DrawnPictures& drawn);
/// The same in the object of `--json`: `PART.confusion` and `wrote`.
void add_pictures(Json& json, const DrawnPictures& drawn);

}  // namespace dlg
