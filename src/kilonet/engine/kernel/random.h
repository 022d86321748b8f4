// Philox4x32 with seven rounds: random numbers from (seed, stream, step, layer, unit, position).
//
// There is no state, so no thread, packing or resumption can change a number. Source: Salmon,
// Moraes, Dror & Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011. Which counter means
// what stands in docs/arithmetic.md.
#pragma once
#include "packing.h"

namespace kilonet {
namespace {

enum Stream : std::uint32_t { stream_order = 0, stream_dropout = 2, stream_noise = 3 };

struct Key {  // of every lane
    Words low, high;
};

INLINE void philox(Words (&c)[4], Key key) {
#pragma GCC unroll 7
    for (int round = 0; round < 7; round++) {
        Words h0, l0, h1, l1;
        multiply_words(c[0], 0xD2511F53u, h0, l0);
        multiply_words(c[2], 0xCD9E8D57u, h1, l1);
        c[0] = h1 ^ c[1] ^ key.low;
        c[1] = l1;
        c[2] = h0 ^ c[3] ^ key.high;
        c[3] = l0;
        key.low += 0x9E3779B9u;
        key.high += 0xBB67AE85u;
    }
}

// Four words for each of the units 0 … units-1 of every member: words[w * stride + unit * members + member].
template <class P>
void draw(std::uint32_t* words, long stride, long units, std::uint32_t block, std::uint32_t step, std::uint32_t stream, Key key) {
    Words unit{};
    for (int i = 0; i < lanes<float>; i++) unit[i] = i / P::members;
    for (long e = 0; e < units * P::members; e += lanes<float>) {
        Words c[4] = {unit + std::uint32_t(e / P::members), Words{} + block, Words{} + step, Words{} + stream};
        philox(c, key);
        for (int w = 0; w < 4; w++) store_words(words + w * stride + e, c[w]);
    }
}

// The order of an epoch: Fisher–Yates on 0 … n-1 with the draws of stream 0.
inline void shuffle(std::int32_t* rows, long n, std::uint64_t order, std::uint32_t epoch) {
    for (long i = 0; i < n; i++) rows[i] = std::int32_t(i);
    constexpr long blocks = 64;
    std::uint32_t words[4 * blocks];
    const Key key{Words{} + std::uint32_t(order), Words{} + std::uint32_t(order >> 32)};
    for (long t0 = 0; t0 < n - 1; t0 += 2 * blocks) {
        Words ascending{};
        for (int i = 0; i < lanes<float>; i++) ascending[i] = i;
        for (long u = 0; u < blocks; u += lanes<float>) {
            Words c[4] = {ascending + std::uint32_t(t0 / 2 + u), Words{}, Words{} + epoch, Words{} + std::uint32_t(stream_order)};
            philox(c, key);
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

// Uniform numbers of 24 bits: (word >> 8 + one) / 2^24.
template <class T>
INLINE Vec<T> uniform(const std::uint32_t* words, int one) {
    T u[lanes<T>];
    for (long i = 0; i < lanes<T>; i++) u[i] = T(std::int32_t(words[i] >> 8) + one) * T(0x1p-24);
    return load<T>(u);
}

// x += sigma * normal for rows [from, to) of a batch, the rows' places being their positions. Members without noise
// keep their bits.
template <class P, class T = typename P::T>
void add_noise(T* x, long stride, long inputs, long from, long to, Vec<T> sigma, std::uint32_t step, Key key, std::uint32_t* words) {
    const long entries = inputs * P::members, width = round_up(entries, 16);
    const auto add = [&](T* at, Vec<T> normal) {
        const Vec<T> before = load<T>(at);
        store<T>(at, sigma == 0 ? before : fma(sigma, normal, before));
    };
    for (long row = from; row < to; row += 2 - row % 2) {  // two rows at a time, of one pair of words
        if (row == from || row % 4 == 0) draw<P>(words, width, inputs, std::uint32_t(row / 4), step, stream_noise, key);
        const std::uint32_t *a = words + (row % 4 / 2) * 2 * width, *b = a + width;
        for (long e = 0; e < entries; e += lanes<T>) {
            Vec<T> sine, cosine;
            sine_cosine<T>(uniform<T>(b + e, 0), sine, cosine);
            const Vec<T> radius = root(log<T>(uniform<T>(a + e, 1)) * T(-2));
            if (row % 2) {
                add(x + row * stride + e, radius * sine);
            } else {
                add(x + row * stride + e, radius * cosine);
                if (row + 1 < to) add(x + (row + 1) * stride + e, radius * sine);
            }
        }
    }
}

// 0 or keep for the units of one vector at a position of a batch; words as drawn for its block of eight positions.
template <class T>
INLINE Vec<T> dropout_factor(const std::uint32_t* words, long width, long position, const Lanes<std::uint32_t>& threshold, Vec<T> keep) {
    const std::uint32_t* w = words + (position % 8 / 2) * width;
    const int shift = 16 * (position % 2);
    if constexpr (sizeof(T) == sizeof(std::uint32_t)) {
        const Words drawn = (load_words(w) >> shift) & 0xFFFFu;
        return drawn >= load_words(threshold.at) ? keep : Vec<T>{};
    } else {
        Vec<T> factor{};
        for (long i = 0; i < lanes<T>; i++)
            if (((w[i] >> shift) & 0xFFFFu) >= threshold.at[i]) factor[i] = keep[i];
        return factor;
    }
}

}  // namespace
}  // namespace kilonet
