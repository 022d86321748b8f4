// The vector of one instruction set, and the few operations that compilers do not agree on.
//
// KILONET_VECTOR_BYTES is set by each variant_*.cpp: 64, 32 or 16, or 0 for the scalar variant,
// whose vectors have one lane. Everything above this file is the same text for all of them.
#pragma once
#if KILONET_VECTOR_BYTES >= 32
#include <immintrin.h>
#elif defined(__aarch64__) && KILONET_VECTOR_BYTES == 16
#include <arm_neon.h>
#endif
#include "plan.h"

namespace kilonet {
namespace {

#define INLINE inline __attribute__((always_inline))

constexpr int vector_bytes(int element) { return KILONET_VECTOR_BYTES ? KILONET_VECTOR_BYTES : element; }

template <class T> struct Types;
template <> struct Types<float> {
    typedef float vec __attribute__((vector_size(vector_bytes(4))));
    typedef std::int32_t mask __attribute__((vector_size(vector_bytes(4))));
    typedef std::uint32_t bits __attribute__((vector_size(vector_bytes(4))));
    using integer = std::int32_t;
};
template <> struct Types<double> {
    typedef double vec __attribute__((vector_size(vector_bytes(8))));
    typedef std::int64_t mask __attribute__((vector_size(vector_bytes(8))));
    typedef std::uint64_t bits __attribute__((vector_size(vector_bytes(8))));
    using integer = std::int64_t;
};
template <class T> using Vec = typename Types<T>::vec;
template <class T> using Mask = typename Types<T>::mask;
template <class T> using Bits = typename Types<T>::bits;
using Words = Types<float>::bits;

// 0, 1, 2, … as arguments of a template.
template <long...> struct Sequence {};
template <long n, long... later> struct UpTo { using numbers = typename UpTo<n - 1, n - 1, later...>::numbers; };
template <long... all> struct UpTo<0, all...> { using numbers = Sequence<all...>; };
template <long n> using Counting = typename UpTo<n>::numbers;

template <class T> inline constexpr long lanes = vector_bytes(sizeof(T)) / long(sizeof(T));

template <class T> INLINE Vec<T> load(const T* p) { Vec<T> v; __builtin_memcpy(&v, p, sizeof v); return v; }
template <class T> INLINE void store(T* p, Vec<T> v) { __builtin_memcpy(p, &v, sizeof v); }
template <class T> INLINE Vec<T> all(T x) { return x - Vec<T>{}; }  // x - 0 is x, also for -0

// Keeps a loaded vector in a register: the compiler would load it again in every operation that uses it.
template <class V> INLINE void hold([[maybe_unused]] V& v) {
#if KILONET_VECTOR_BYTES >= 16 && defined(__x86_64__)
    asm("" : "+v"(v));
#elif KILONET_VECTOR_BYTES == 16 && defined(__aarch64__)
    asm("" : "+w"(v));
#endif
}

// Rows and columns of a square of numbers change places: halves of pairs of rows, then quarters, and so on.
template <class T, long distance, long... lane>
INLINE void exchange(Vec<T>& a, Vec<T>& b, Sequence<lane...>) {
    const Vec<T> first = a;
    a = __builtin_shufflevector(first, b, (lane & distance ? lanes<T> + lane - distance : lane)...);
    b = __builtin_shufflevector(first, b, (lane & distance ? lanes<T> + lane : lane + distance)...);
}

template <class T, long distance = lanes<T> / 2>
INLINE void transpose(Vec<T> (&rows)[lanes<T>]) {
    if constexpr (distance > 0) {
#pragma GCC unroll 16
        for (long i = 0; i < lanes<T>; i++)
            if (!(i & distance)) exchange<T, distance>(rows[i], rows[i + distance], Counting<lanes<T>>{});
        transpose<T, distance / 2>(rows);
    }
}

INLINE Words load_words(const std::uint32_t* p) { Words v; __builtin_memcpy(&v, p, sizeof v); return v; }
INLINE void store_words(std::uint32_t* p, Words v) { __builtin_memcpy(p, &v, sizeof v); }

template <class T> INLINE Bits<T> bits_of(Vec<T> v) { Bits<T> b; __builtin_memcpy(&b, &v, sizeof b); return b; }
template <class T> INLINE Vec<T> from_bits(Bits<T> b) { Vec<T> v; __builtin_memcpy(&v, &b, sizeof v); return v; }

template <class T> INLINE bool any_lane(Mask<T> mask) {
    std::int64_t words[(sizeof(mask) + 7) / 8] = {}, any = 0;
    __builtin_memcpy(words, &mask, sizeof mask);
    for (std::int64_t word : words) any |= word;
    return any;
}

// a * b + c, rounded once.
#if KILONET_VECTOR_BYTES == 64
INLINE Vec<float> fma(Vec<float> a, Vec<float> b, Vec<float> c) { return _mm512_fmadd_ps(a, b, c); }
INLINE Vec<double> fma(Vec<double> a, Vec<double> b, Vec<double> c) { return _mm512_fmadd_pd(a, b, c); }
INLINE Vec<float> root(Vec<float> a) { return _mm512_sqrt_ps(a); }
INLINE Vec<double> root(Vec<double> a) { return _mm512_sqrt_pd(a); }
#elif KILONET_VECTOR_BYTES == 32
INLINE Vec<float> fma(Vec<float> a, Vec<float> b, Vec<float> c) { return _mm256_fmadd_ps(a, b, c); }
INLINE Vec<double> fma(Vec<double> a, Vec<double> b, Vec<double> c) { return _mm256_fmadd_pd(a, b, c); }
INLINE Vec<float> root(Vec<float> a) { return _mm256_sqrt_ps(a); }
INLINE Vec<double> root(Vec<double> a) { return _mm256_sqrt_pd(a); }
#elif KILONET_VECTOR_BYTES == 16
INLINE Vec<float> fma(Vec<float> a, Vec<float> b, Vec<float> c) { return (Vec<float>)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b); }
INLINE Vec<double> fma(Vec<double> a, Vec<double> b, Vec<double> c) { return (Vec<double>)vfmaq_f64((float64x2_t)c, (float64x2_t)a, (float64x2_t)b); }
INLINE Vec<float> root(Vec<float> a) { return (Vec<float>)vsqrtq_f32((float32x4_t)a); }
INLINE Vec<double> root(Vec<double> a) { return (Vec<double>)vsqrtq_f64((float64x2_t)a); }
#else
INLINE Vec<float> fma(Vec<float> a, Vec<float> b, Vec<float> c) { return Vec<float>{__builtin_fmaf(a[0], b[0], c[0])}; }
INLINE Vec<double> fma(Vec<double> a, Vec<double> b, Vec<double> c) { return Vec<double>{__builtin_fma(a[0], b[0], c[0])}; }
INLINE Vec<float> root(Vec<float> a) { return Vec<float>{__builtin_sqrtf(a[0])}; }
INLINE Vec<double> root(Vec<double> a) { return Vec<double>{__builtin_sqrt(a[0])}; }
#endif

// High and low word of a 32 × 32 bit product.
INLINE void multiply_words(Words a, std::uint32_t by, Words& high, Words& low) {
#if KILONET_VECTOR_BYTES == 64
    const __m512i x = (__m512i)a, m = _mm512_set1_epi64(by);
    const __m512i even = _mm512_mul_epu32(x, m), odd = _mm512_mul_epu32(_mm512_srli_epi64(x, 32), m);
    high = (Words)_mm512_mask_blend_epi32(0xAAAA, _mm512_srli_epi64(even, 32), odd);
#elif KILONET_VECTOR_BYTES == 32
    const __m256i x = (__m256i)a, m = _mm256_set1_epi64x(by);
    const __m256i even = _mm256_mul_epu32(x, m), odd = _mm256_mul_epu32(_mm256_srli_epi64(x, 32), m);
    high = (Words)_mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xAA);
#else
    for (int i = 0; i < lanes<float>; i++) high[i] = std::uint32_t((std::uint64_t(a[i]) * by) >> 32);
#endif
    low = a * by;
}

// Sizes of a register tile: how many rows fit beside how many vectors of columns, and how many
// vectors to take next when `left` remain. Chosen so that accumulators, one row of B and one
// element of A fill the registers (32, 16, 32) and the multiply-add units never wait.
#if KILONET_VECTOR_BYTES == 64
constexpr int tile_vectors = 4, few_rows = 5;
constexpr int tile_rows(int vectors) { return vectors == 1 ? 14 : vectors == 2 ? 12 : vectors == 3 ? 8 : 5; }
#elif KILONET_VECTOR_BYTES == 32
constexpr int tile_vectors = 4, few_rows = 2;
constexpr int tile_rows(int vectors) { return vectors == 1 ? 10 : vectors == 2 ? 6 : vectors == 3 ? 4 : 2; }
#elif KILONET_VECTOR_BYTES == 16
constexpr int tile_vectors = 4, few_rows = 1 << 30;
constexpr int tile_rows(int) { return 6; }
#else
constexpr int tile_vectors = 2, few_rows = 0;
constexpr int tile_rows(int) { return 4; }
#endif
INLINE int next_vectors(long left, long rows) {
    if (tile_vectors > 3 && left >= 4 && rows <= few_rows) return 4;  // as many accumulators as few rows can have
    return left == 3 && tile_vectors > 2 ? 3 : left >= 2 ? 2 : 1;
}

// Round to nearest, subnormal numbers kept, for as long as this lives.
struct FloatMode {
#if defined(__x86_64__)
    unsigned before = __builtin_ia32_stmxcsr();
    FloatMode() { __builtin_ia32_ldmxcsr(0x1F80); }
    ~FloatMode() { __builtin_ia32_ldmxcsr(before); }
#elif defined(__aarch64__)
    std::uint64_t before;
    FloatMode() { asm volatile("mrs %0, fpcr" : "=r"(before)); asm volatile("msr fpcr, %0" : : "r"(std::uint64_t(0))); }
    ~FloatMode() { asm volatile("msr fpcr, %0" : : "r"(before)); }
#else
    FloatMode() {}
#endif
};

INLINE void relax() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

}  // namespace
}  // namespace kilonet
