#include "driver/verbs/verbs.h"

namespace dlg {
namespace {

constexpr Verb kVerbs[] = {
#define DLG_VERB(name, doc) {#name, doc, verb_##name},
#include "driver/verbs/verbs.def"
#undef DLG_VERB
};

}  // namespace

std::span<const Verb> verbs() {
  return kVerbs;
}

}  // namespace dlg
