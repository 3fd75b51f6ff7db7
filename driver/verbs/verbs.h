// Owns the verbs: one function each, from a session to an exit code. The table that maps names to them is in
// main.cpp.
#pragma once

#include "driver/cli/session.h"

namespace dlg {

int verb_check(Session& session);
int verb_step(Session& session);
int verb_train(Session& session);
int verb_eval(Session& session);
int verb_predict(Session& session);
int verb_show(Session& session);
int verb_gradcheck(Session& session);
int verb_explain(Session& session);
int verb_new(Session& session);
int verb_race(Session& session);

}  // namespace dlg
