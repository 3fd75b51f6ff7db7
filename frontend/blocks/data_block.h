// Owns `data` blocks: where each field comes from, its scaling and axes, the split.
#pragma once

#include <string_view>

#include "frontend/elaborate/elaboration.h"

namespace dlg {

/// Whether a setting of a data block is no field: `file`, `val`, `test`, `split`.
bool is_data_setting(std::string_view key);

/// Elaborates all data blocks of the user's file into Elaboration::data, in their order.
void declare_data(Elaboration& e);

/// After everything else: types of the fields by their use, errors for unused fields; the one data set that
/// the program uses.
std::optional<Dataset> finish_data(Elaboration& e);

}  // namespace dlg
