// Owns `dlg step --picture`: the numbers of one value as a sheet of images.
#pragma once

#include "driver/cli/session.h"
#include "driver/step/step_options.h"

namespace dlg {

/// Writes the planes of the value `options.of`, or of its derivative, into `options.picture`; without `of`
/// those of the first value [chan, row, col] in the text. Looks at one sample of the first batch, before an
/// update.
int step_picture(Session& session, const StepOptions& options);

}  // namespace dlg
