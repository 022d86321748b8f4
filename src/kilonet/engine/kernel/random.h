// Philox4x32 with seven rounds: random numbers from (seed, stream, step, layer, unit, position).
//
// There is no state, so no thread, packing or resumption can change a number. Source: Salmon,
// Moraes, Dror & Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011. Which counter means
// what stands in docs/arithmetic.md.
#pragma once
#include "functions.h"

namespace kilonet {
namespace {

enum Stream : std::uint32_t { stream_order = 0, stream_dropout = 2, stream_noise = 3 };

INLINE void philox(Words (&c)[4], std::uint64_t seed) {
    std::uint32_t k0 = std::uint32_t(seed), k1 = std::uint32_t(seed >> 32);
#pragma GCC unroll 7
    for (int round = 0; round < 7; round++) {
        Words h0, l0, h1, l1;
        multiply_words(c[0], 0xD2511F53u, h0, l0);
        multiply_words(c[2], 0xCD9E8D57u, h1, l1);
        c[0] = h1 ^ c[1] ^ k0;
        c[1] = l1;
        c[2] = h0 ^ c[3] ^ k1;
        c[3] = l0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
}

// Four words for each of the units 0 … units-1: words[w * stride + unit].
inline void draw(std::uint32_t* words, long stride, long units, std::uint32_t block, std::uint32_t step, std::uint32_t stream, std::uint64_t seed) {
    Words ascending{};
    for (int i = 0; i < lanes<float>; i++) ascending[i] = i;
    for (long u = 0; u < units; u += lanes<float>) {
        Words c[4] = {ascending + std::uint32_t(u), Words{} + block, Words{} + step, Words{} + stream};
        philox(c, seed);
        for (int w = 0; w < 4; w++) store_words(words + w * stride + u, c[w]);
    }
}

// The order of an epoch: Fisher–Yates on 0 … n-1 with the draws of stream 0.
inline void shuffle(std::int32_t* rows, long n, std::uint64_t order, std::uint32_t epoch) {
    for (long i = 0; i < n; i++) rows[i] = std::int32_t(i);
    constexpr long blocks = 64;
    std::uint32_t words[4 * blocks];
    for (long t0 = 0; t0 < n - 1; t0 += 2 * blocks) {
        Words ascending{};
        for (int i = 0; i < lanes<float>; i++) ascending[i] = i;
        for (long u = 0; u < blocks; u += lanes<float>) {
            Words c[4] = {ascending + std::uint32_t(t0 / 2 + u), Words{}, Words{} + epoch, Words{} + std::uint32_t(stream_order)};
            philox(c, order);
            for (int w = 0; w < 4; w++) store_words(words + w * blocks + u, c[w]);
        }
        for (long t = t0; t < n - 1 && t < t0 + 2 * blocks; t++) {
            const long u = (t - t0) / 2, pair = t % 2, i = n - 1 - t;
            const std::uint64_t r = words[2 * pair * blocks + u] | std::uint64_t(words[(2 * pair + 1) * blocks + u]) << 32;
            const long j = long((static_cast<unsigned __int128>(r) * std::uint64_t(i + 1)) >> 64);
            const std::int32_t kept = rows[i];
            rows[i] = rows[j];
            rows[j] = kept;
        }
    }
}

// x += sigma * normal for rows [from, to) of a batch, the rows' places being their positions.
template <class T>
void add_noise(T* x, long stride, long inputs, long from, long to, double sigma, std::uint32_t step, std::uint64_t seed, std::uint32_t* words) {
    const long width = round_up(inputs, 16);
    for (long block = from / 4; block * 4 < to; block++) {
        draw(words, width, inputs, std::uint32_t(block), step, stream_noise, seed);
        for (long q = 0; q < 4; q++) {
            const long row = 4 * block + q;
            if (row < from || row >= to) continue;
            const std::uint32_t *a = words + 2 * (q / 2) * width, *b = a + width;
            for (long u = 0; u < inputs; u += lanes<T>) {
                T first[lanes<T>], second[lanes<T>];
                for (long i = 0; i < lanes<T>; i++) {
                    first[i] = T(std::int32_t(a[u + i] >> 8) + 1) * T(0x1p-24);
                    second[i] = T(std::int32_t(b[u + i] >> 8)) * T(0x1p-24);
                }
                Vec<T> sine, cosine;
                sine_cosine<T>(load<T>(second), sine, cosine);
                const Vec<T> normal = root(log<T>(load<T>(first)) * T(-2)) * (q % 2 ? sine : cosine);
                T* p = x + row * stride + u;
                store<T>(p, fma(all<T>(T(sigma)), normal, load<T>(p)));
            }
        }
    }
}

// factor[unit] = 0 or keep, for one row of a batch; words as drawn for its block of eight positions.
template <class T>
void dropout_factors(T* factor, const std::uint32_t* words, long width, long units, long position, std::uint32_t threshold, T keep) {
    const long q = position % 8, shift = 16 * (q % 2);
    const std::uint32_t* w = words + (q / 2) * width;
    for (long u = 0; u < units; u++) factor[u] = ((w[u] >> shift) & 0xFFFF) >= threshold ? keep : T(0);
}

}  // namespace
}  // namespace kilonet
