// Owns the error function.
#pragma once

#include "ir/loop/maths/exp.h"
#include "ir/loop/maths/lane.h"

namespace dlg::loop::maths {

/// erf(x) / x - 1 as a polynomial of x^2 - 1/2, up to 1.05 in f32 (error 2^-28): x^2 - 1/2 rounds in smaller
/// numbers than x^2, and erf needs the bits near 1.
inline constexpr std::array kErfF32{-0x1.1ae14cp-5, -0x1.1fd164p-2,  0x1.45433ap-4, -0x1.2b8dc8p-6,
                                    0x1.c85fbp-9,   -0x1.287e44p-11, 0x1.390562p-14};
inline constexpr double kErfBorderF32 = 1.05;
/// erf(x) / x - 1 as a polynomial of x^2, up to 1 in f64 (error 2^-56).
inline constexpr std::array kErfF64{0x1.06eba8214db69p-3,   -0x1.812746b0379fdp-2,  0x1.ce2f21a04362cp-4,
                                    -0x1.b82ce312abe86p-6,  0x1.565bcd12977d7p-8,   -0x1.c02db49ab1390p-11,
                                    0x1.f9a3352d4433cp-14,  -0x1.f4d3329ba0b17p-17, 0x1.b9ee88d2981b8p-20,
                                    -0x1.5f97b70697e8ap-23, 0x1.fc73cb022aed0p-27,  -0x1.46693d4195f6dp-30,
                                    0x1.294b3da0f65eap-34};
/// -log(1 - erf(x)) / x: up to 4 in f32, up to 6 in f64; the error of erf is 2^-31 and 2^-55.
inline constexpr std::array kErfTailF32{0x1.20f1eep+0, 0x1.451c18p-1,   0x1.b448f8p-4, -0x1.892cp-6,
                                        0x1.ebc36ep-9, -0x1.6e4454p-12, 0x1.d06df8p-17};
inline constexpr std::array kErfTailF64{
    0x1.20dd6fcf78c7cp+0,   0x1.45f3671cad4a4p-1,   0x1.a4e81830888eep-4,   -0x1.38e252872f009p-6,
    -0x1.14eccb31afdddp-12, 0x1.ce4410e85642dp-10,  -0x1.538f56a7d3b8ep-11, 0x1.e0c8da7981687p-15,
    0x1.eef611bb20251p-15,  -0x1.3f18b3be4aee4p-15, 0x1.c004f5579bef9p-17,  -0x1.b481a59feb03ep-19,
    0x1.34b0098e193f2p-21,  -0x1.39e2c4ce4d202p-24, 0x1.b560e904b4cc2p-28,  -0x1.76dd8a15b8758p-32,
    0x1.2a5ef758a508ep-37};

/// 1 - e^-(t p(t)): erf from its tail. No subnormal powers. What the product loses goes into the exponential.
template <Lane R, std::size_t tail, std::size_t exp>
R one_minus_exp(R t, const std::array<double, tail>& p, const Format& format,
                const std::array<double, exp>& q) {
  const Pair<R> x = exact_product(t, polynomial_constant_last(t, p));
  const auto [shifted, n, r] = reduced_for_exp(-x.high, format);
  const R power = power_of_two(shifted, format);
  const R rest = r.high + fused(r.high * r.high, polynomial(r.high, q), -x.low);
  return 1.0 - fused(power, rest, power);
}

/// erf(x), within 1 ulp: a polynomial near 0, beyond it 1 - e^-p(|x|).
template <Lane R>
R erf_f32(R x) {
  const R t = absolute(x);
  const R near = fused(t, polynomial(fused(t, t, t.constant(-0.5)), kErfF32), t);
  const R far = one_minus_exp(at_most(t, 4), kErfTailF32, kF32, kExpF32);
  return signed_as(select(t < kErfBorderF32, near, far), x, kF32);
}

/// erf(x), within 1 ulp: a polynomial near 0, beyond it 1 - e^-p(|x|).
template <Lane R>
R erf_f64(R x) {
  const R t = absolute(x);
  const R near = fused(t, polynomial(t * t, kErfF64), t);
  const R far = one_minus_exp(at_most(t, 6), kErfTailF64, kF64, kExpF64);
  return signed_as(select(t < 1.0, near, far), x, kF64);
}

}  // namespace dlg::loop::maths
