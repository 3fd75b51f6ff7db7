// Owns the text of attributes: "{axes = [0, 1]}".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ir/graph/attributes.h"
#include "ir/graph/text_cursor.h"

namespace dlg {

/// " {axes = [0], value = 0.5}", or nothing.
std::string attributes_text(const Attributes& attributes);

/// A field as a reader or a page of documentation needs it.
struct AttributeDoc {
  std::string_view name;
  std::string_view kind;     // "integers"
  bool is_optional = false;  // the text may leave it out
};
std::vector<AttributeDoc> attribute_docs(const Attributes& attributes);

/// Why a field could not be read: either nothing like it stands there, and `wanted` says what should, or the
/// text is no value of the field for a `reason`.
struct AttributeError {
  std::string_view wanted;
  std::string reason = {};
};

/// Reads the value of field `name`, which there is, at the cursor.
std::optional<AttributeError> read_attribute(TextCursor& cursor, std::string_view name,
                                             Attributes& attributes);

}  // namespace dlg
