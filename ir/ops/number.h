// Owns the number types of the interpreter: dual numbers (exact forward derivatives) and running error
// bounds.
#pragma once

namespace dlg {

/// value + epsilon * derivative, with epsilon^2 = 0. Comparisons look at the value.
struct Dual {
  double value = 0;
  double derivative = 0;
};

/// A value computed in f64 with a bound on what f32 arithmetic would have lost on the way, in absolute terms.
struct Bound {
  double value = 0;
  double error = 0;
};

}  // namespace dlg
