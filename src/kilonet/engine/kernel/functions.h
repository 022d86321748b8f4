// exp, log, tanh, erf, sine and cosine, lane by lane.
//
// They are ours so that every instruction set, the scalar one too, gives the same bits: libraries
// differ in the last one. All are built from additions, multiplications, divisions and fma, so the
// number of lanes cannot matter. Series are Taylor's (their remainders are below half a unit in the
// last place on the reduced ranges), erf beyond 1 a fitted polynomial. Worst errors found over
// dense samples are listed in docs/arithmetic.md and tested.
#pragma once
#include "isa.h"

namespace kilonet {
namespace {

template <class T> struct Float;  // what the formulas need to know of a type
template <> struct Float<float> {
    static constexpr int mantissa = 23, bias = 127, exp_terms = 7, log_terms = 5, erf_terms = 10, sine_terms = 5;
    static constexpr float magic = 0x1.8p23f, ln2_high = 0x1.62e4p-1f, ln2_low = 0x1.7f7d1cp-20f, exp_low = -104.f, exp_high = 89.f;
    static constexpr std::int32_t root_half = 0x3f3504f3, one = 0x3f800000, fraction = 0x007fffff;
};
template <> struct Float<double> {
    static constexpr int mantissa = 52, bias = 1023, exp_terms = 13, log_terms = 11, erf_terms = 19, sine_terms = 9;
    static constexpr double magic = 0x1.8p52, ln2_high = 0x1.62e42feep-1, ln2_low = 0x1.a39ef35793c76p-33, exp_low = -746., exp_high = 710.;
    static constexpr std::int64_t root_half = 0x3fe6a09e667f3bcdLL, one = 0x3ff0000000000000LL, fraction = 0x000fffffffffffffLL;
};

template <class T> INLINE Vec<T> absolute(Vec<T> x) { return x < 0 ? -x : x; }

// c[n-1] x^(n-1) + ... + c[0], by Horner's rule.
template <class T, int n> INLINE Vec<T> polynomial(Vec<T> x, const T (&c)[n]) {
    Vec<T> sum = all<T>(c[n - 1]);
#pragma GCC unroll 32
    for (int i = n - 2; i >= 0; i--) sum = fma(sum, x, all<T>(c[i]));
    return sum;
}

// Coefficients of the series, made by the compiler.
template <class T, int n> struct Coefficients { T c[n]; };
template <class T, int n> constexpr Coefficients<T, n> exp_series() {  // 1/2!, 1/3!, ...
    Coefficients<T, n> s{};
    double f = 1;
    for (int i = 0; i < n; i++) { f *= i + 2; s.c[i] = T(1 / f); }
    return s;
}
template <class T, int n> constexpr Coefficients<T, n> log_series() {  // 2/3, 2/5, ...
    Coefficients<T, n> s{};
    for (int i = 0; i < n; i++) s.c[i] = T(2. / (2 * i + 3));
    return s;
}
template <class T, int n> constexpr Coefficients<T, n> erf_series() {  // 2/sqrt(pi) (-1)^k / (k! (2k+1))
    Coefficients<T, n> s{};
    double f = 1.1283791670955126;
    for (int k = 0; k < n; k++) { s.c[k] = T(f / (2 * k + 1)); f /= -(k + 1); }
    return s;
}
template <class T, int n> constexpr Coefficients<T, n> turn_series(int first) {  // sine: first 3, cosine: first 2; signs alternate from -
    Coefficients<T, n> s{};
    double f = first == 3 ? -1. / 6 : -1. / 2;
    for (int i = 0; i < n; i++) { s.c[i] = T(f); f /= -double(first + 2 * i + 1) * (first + 2 * i + 2); }
    return s;
}

// 2^n for an integer n kept as a floating number; n within the normal exponents.
template <class T> INLINE Vec<T> power_of_two(Vec<T> n) {
    using F = Float<T>;
    return from_bits<T>((bits_of<T>(n + all<T>(F::magic)) + F::bias) << F::mantissa);
}

// x = n ln 2 + r; gives n and e^r - 1.
template <class T> INLINE void reduce_exp(Vec<T> x, Vec<T>& n, Vec<T>& rest) {
    using F = Float<T>;
    static constexpr auto series = exp_series<T, F::exp_terms - 1>();
    const Vec<T> magic = all<T>(F::magic);
    n = fma(x, all<T>(T(1.4426950408889634)), magic) - magic;
    const Vec<T> r = fma(n, all<T>(-F::ln2_low), fma(n, all<T>(-F::ln2_high), x));
    rest = fma(r * r, polynomial<T>(r, series.c), r);
}

// e^x for an x that is not too large.
template <class T> INLINE Vec<T> exp_bounded(Vec<T> x) {
    using F = Float<T>;
    x = x < F::exp_low ? all<T>(F::exp_low) : x;  // keeps a NaN
    Vec<T> n, rest;
    reduce_exp<T>(x, n, rest);
    const Vec<T> magic = all<T>(F::magic), half = (n * T(0.5) + magic) - magic;  // in two steps: 2^n may be subnormal or too large
    return (rest + T(1)) * power_of_two<T>(half) * power_of_two<T>(n - half);
}

template <class T> INLINE Vec<T> exp(Vec<T> x) {
    using F = Float<T>;
    return exp_bounded<T>(x > F::exp_high ? all<T>(F::exp_high) : x);
}

// e^x - 1 for x <= 0.
template <class T> INLINE Vec<T> expm1_negative(Vec<T> x) {
    x = x < T(-50) ? all<T>(-50) : x;
    Vec<T> n, rest;
    reduce_exp<T>(x, n, rest);
    const Vec<T> scale = power_of_two<T>(n);
    return fma(scale, rest, scale - T(1));
}

// Natural logarithm of normal x > 0; -inf at 0, NaN below.
template <class T> INLINE Vec<T> log(Vec<T> x) {
    using F = Float<T>;
    static constexpr auto series = log_series<T, F::log_terms>();
    const Bits<T> shifted = bits_of<T>(x) + Bits<T>{} + (typename Types<T>::integer)(F::one - F::root_half);
    const Bits<T> magic_bits = bits_of<T>(all<T>(F::magic));
    const Vec<T> exponent = from_bits<T>((shifted >> F::mantissa) - F::bias + magic_bits) - all<T>(F::magic);
    const Vec<T> f = from_bits<T>((shifted & Bits<T>(Bits<T>{} + F::fraction)) + F::root_half) - T(1);
    const Vec<T> s = f / (f + T(2)), s2 = s * s, half_square = f * f * T(0.5);
    const Vec<T> rest = s2 * polynomial<T>(s2, series.c);
    const Vec<T> low = fma(s, half_square + rest, exponent * F::ln2_low);
    Vec<T> result = fma(exponent, all<T>(F::ln2_high), f - (half_square - low));
    const T infinity = T(__builtin_inf());
    result = x == infinity ? all<T>(infinity) : result;
    result = x == 0 ? all<T>(-infinity) : result;
    return x >= 0 ? result : all<T>(T(__builtin_nan("")));
}

// log(1 + x) for 0 <= x <= 1: the rounding of 1 + x is given back.
template <class T> INLINE Vec<T> log1p(Vec<T> x) {
    const Vec<T> u = x + T(1);
    return log<T>(u) + (x - (u - T(1))) / u;
}

template <class T> INLINE Vec<T> tanh(Vec<T> x) {
    const Vec<T> e = expm1_negative<T>(absolute<T>(x) * T(-2));
    const Vec<T> t = (Vec<T>{} - e) / (e + T(2));
    const Vec<T> with_sign = x < 0 ? -t : t;
    return x == x ? with_sign : x;
}

template <class T> INLINE Vec<T> sigmoid(Vec<T> x) { return T(1) / (exp<T>(-x) + T(1)); }

// (1 + 2x) e^(x²) erfc(x) as a polynomial in (x - 2) / (x + 2), fitted on 1 <= x <= 6.2 (relative error 2e-15).
inline constexpr double erfc_fit[15] = {
    1.276978381552529, -0.09276382658580715, -0.16603039761544583, 0.16405128004686623, -0.054220000982958524,
    -0.008034015933575684, 0.008722654093381995, 0.0012713624391698516, -0.0014568359402817356, -0.0004546581541265033,
    0.00020684634510119142, 0.00015307281894441665, -5.758668982746818e-06, -4.088181187685427e-05, 6.632290276993932e-07};
template <class T> constexpr Coefficients<T, 15> erfc_series() {
    Coefficients<T, 15> s{};
    for (int i = 0; i < 15; i++) s.c[i] = T(erfc_fit[i]);
    return s;
}

template <class T> INLINE Vec<T> erf(Vec<T> x) {
    static constexpr auto series = erf_series<T, Float<T>::erf_terms>();
    static constexpr auto tail = erfc_series<T>();
    const Vec<T> a = absolute<T>(x), limited = a > T(6.2) ? all<T>(6.2) : a;
    const Vec<T> far = polynomial<T>((limited - T(2)) / (limited + T(2)), tail.c) / fma(limited, all<T>(2), all<T>(1)) * exp<T>(-limited * limited);
    const Vec<T> inner = a > T(1) ? all<T>(1) : a;
    const Vec<T> near = inner * polynomial<T>(inner * inner, series.c);
    const Vec<T> positive = a > T(1) ? T(1) - far : near;
    const Vec<T> with_sign = x < 0 ? -positive : positive;
    return x == x ? with_sign : x;
}

// Sine and cosine of 2 pi u for 0 <= u <= 1: u splits exactly into a quarter turn and a rest.
template <class T> INLINE void sine_cosine(Vec<T> u, Vec<T>& sine, Vec<T>& cosine) {
    static constexpr auto odd = turn_series<T, Float<T>::sine_terms - 1>(3), even = turn_series<T, Float<T>::sine_terms>(2);
    const Vec<T> magic = all<T>(Float<T>::magic);
    const Vec<T> quarter = (u * T(4) + magic) - magic, y = (u - quarter * T(0.25)) * T(6.283185307179586), y2 = y * y;
    const Vec<T> s = fma(y * y2, polynomial<T>(y2, odd.c), y), c = fma(y2, polynomial<T>(y2, even.c), all<T>(1));
    const Mask<T> swap = (quarter == T(1)) | (quarter == T(3));
    const Vec<T> s0 = swap ? c : s, c0 = swap ? s : c;
    sine = (quarter == T(2)) | (quarter == T(3)) ? -s0 : s0;
    cosine = (quarter == T(1)) | (quarter == T(2)) ? -c0 : c0;
}

}  // namespace
}  // namespace kilonet
