// Owns the verbs: one function each, from a command line to an exit code; verbs.def is their table.
#pragma once

#include <span>

#include "driver/cli/command_line.h"
#include "driver/cli/session.h"

namespace dlg {

#define DLG_VERB(name, doc) int verb_##name(Session& session, CommandLine& line);
#include "driver/verbs/verbs.def"
#undef DLG_VERB

/// In the order of the help text.
std::span<const Verb> verbs();

}  // namespace dlg
