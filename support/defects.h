// Owns the seeded defects: known mistakes that sleep in the compiler until a test wakes one of them, to see
// that the other tests would catch it. Nothing but a test can: see support/wake_defect.h.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace dlg {

enum class Defect : std::uint8_t {
#define DLG_DEFECT(name, sentence) k##name,
#include "support/defects.def"
#undef DLG_DEFECT
};

struct DefectInfo {
  Defect defect;
  std::string_view name;      // "LostReduce"
  std::string_view sentence;  // what is then wrong
};

std::span<const DefectInfo> all_defects();

/// Whether the code has this mistake now. Asked once per node, kernel or value, never per element.
bool has_defect(Defect defect);

}  // namespace dlg
