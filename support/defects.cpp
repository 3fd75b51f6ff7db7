#include "support/defects.h"

#include <array>
#include <optional>

#include "support/wake_defect.h"

namespace dlg {
namespace {

constexpr std::array kDefects{
#define DLG_DEFECT(name, sentence) DefectInfo{Defect::k##name, #name, sentence},
#include "support/defects.def"
#undef DLG_DEFECT
};

constinit std::optional<Defect> awake;

}  // namespace

std::span<const DefectInfo> all_defects() {
  return kDefects;
}

bool has_defect(Defect defect) {
  return awake == defect;
}

AwakeDefect::AwakeDefect(Defect defect) {
  awake = defect;
}

AwakeDefect::~AwakeDefect() {
  awake.reset();
}

}  // namespace dlg
