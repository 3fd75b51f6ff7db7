// Owns the strict reader of PNG pictures.
#pragma once

#include <optional>
#include <string_view>

#include "runtime/files.h"
#include "runtime/rows.h"

namespace dlg {

/// Reads a picture: one row of u8, shape [channels, height, width], 0 to 255 as the file has them: no gamma,
/// no colour profile. One channel for grey, three for red, green and blue. Grey of 1, 2 or 4 bits is spread
/// over 0 to 255 without rounding; colours of a palette are looked up; interlaced rows are put in order.
/// Errors: no PNG, 16 bits, alpha or transparent colours, which all would lose something, colours outside of
/// the palette, no pixels, more than packed bytes of this size can make or than there is memory for, and
/// whatever libpng finds damaged, wrong checksums and bytes behind the end included.
std::optional<StoredRows> read_png(const FileRequest& file, Diagnostics& diagnostics);

/// The same for bytes in memory; `file` only names them.
std::optional<StoredRows> parse_png(std::string_view bytes, const FileRequest& file,
                                    Diagnostics& diagnostics);

/// Whether the bytes begin as every PNG file does.
bool is_png(std::string_view bytes);

}  // namespace dlg
