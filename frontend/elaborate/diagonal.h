// Owns square matrices that are zero beside their diagonal.
#pragma once

#include "ir/ops/expr.h"

namespace dlg {

/// `square` [n, n] with zeros beside its diagonal.
Expr on_diagonal(Expr square);

}  // namespace dlg
