// Owns the verbs: one function each, from a session to an exit code; verbs.def is their table.
#pragma once

#include <span>

#include "driver/cli/session.h"

namespace dlg {

#define DLG_VERB(name, doc, ...) int verb_##name(Session& session);
#include "driver/verbs/verbs.def"
#undef DLG_VERB

/// In the order of the help text.
std::span<const Verb> verbs();

}  // namespace dlg
