// The inner loop: a register tile of accumulators, and the product of matrices made of such tiles.
//
// acc[i][j] = fma(a[i], b[j], acc[i][j]) for p = 0 … count-1. One accumulator belongs to one
// output; the summed axis is never split between accumulators (docs/arithmetic.md), so neither
// the tile's shape nor the number of lanes can change a bit.
#pragma once
#include "packing.h"

namespace kilonet {
namespace {

// Vectors j = 0, 1, … of a row lie `column<P>(j, groups)` entries from its start: row-major buffers have
// groups == group, weights (see plan.h) the distance between two groups.
template <class T>
struct Product {
    const T* a; long a_row, a_step;            // a[i * a_row + p * a_step]: one element for all lanes, or with `own` a vector
    const T* b; long b_step, b_groups;         // b[p * b_step + columns]
    const T* start; long start_row, start_groups;  // first value of the accumulators
    T* c; long c_row, c_groups;                // where they go
    bool own = false;                          // whether members have an `a` of their own
};

template <class P>
INLINE constexpr long column(long vector, long groups) {
    constexpr long width = lanes<typename P::T>, in_group = P::group / width;
    return vector / in_group * groups + vector % in_group * width;
}

template <class P, int rows, int vectors, bool own>
void tile(long count, const Product<typename P::T>& p) {
    using T = typename P::T;
    Vec<T> acc[rows][vectors];
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 4
        for (int j = 0; j < vectors; j++) acc[i][j] = load<T>(p.start + i * p.start_row + column<P>(j, p.start_groups));
    const T *a = p.a, *b = p.b;
    const long a_row = p.a_row, a_step = p.a_step, b_step = p.b_step, b_groups = p.b_groups;
    T* const c = p.c;
    const long c_row = p.c_row, c_groups = p.c_groups;
    long left = count;
    do {  // never empty: layers have inputs and batches have rows
        Vec<T> bs[vectors];
#pragma GCC unroll 4
        for (int j = 0; j < vectors; j++) {
            bs[j] = load<T>(b + column<P>(j, b_groups));
            hold(bs[j]);
        }
#pragma GCC unroll 16
        for (int i = 0; i < rows; i++) {
            Vec<T> x;
            if constexpr (own) x = load<T>(a + i * a_row);
            else x = all<T>(a[i * a_row]);
#pragma GCC unroll 4
            for (int j = 0; j < vectors; j++) acc[i][j] = fma(x, bs[j], acc[i][j]);
        }
        a += a_step;
        b += b_step;
    } while (--left);
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 4
        for (int j = 0; j < vectors; j++) store<T>(c + i * c_row + column<P>(j, c_groups), acc[i][j]);
}

template <class P, int vectors>
void tile_of(int rows, long count, const Product<typename P::T>& p) {
    constexpr int most = tile_rows(vectors);
    switch (rows) {
#define ROWS(n)                                                                        \
    case n:                                                                            \
        if constexpr (n <= most) {                                                     \
            if constexpr (P::networks)                                                 \
                if (p.own) return tile<P, n, vectors, true>(count, p);                 \
            tile<P, n, vectors, false>(count, p);                                      \
        }                                                                              \
        break;
        ROWS(1) ROWS(2) ROWS(3) ROWS(4) ROWS(5) ROWS(6) ROWS(7) ROWS(8) ROWS(9) ROWS(10) ROWS(11) ROWS(12) ROWS(13) ROWS(14)
#undef ROWS
    }
}

// The whole product: rows in blocks of nearly equal size (a last block of two rows would leave the
// multiply-add units waiting), `total` vectors of columns. After each tile, done(first row, rows,
// first vector, vectors). With `reuse` every tile goes to the same c.
template <class P, class Done>
INLINE void multiply(long rows, long total, long count, const Product<typename P::T>& whole, bool reuse, Done done) {
    if (rows == 0) return;  // a thread without a share
    for (long v = 0; v < total;) {
        const int vectors = next_vectors(total - v);
        const unsigned most = unsigned(tile_rows(vectors));
        const unsigned blocks = (unsigned(rows) + most - 1) / most, small = unsigned(rows) / blocks, larger = unsigned(rows) % blocks;
        Product<typename P::T> p = whole;
        p.b += column<P>(v, p.b_groups);
        p.start += column<P>(v, p.start_groups);
        if (!reuse) p.c += column<P>(v, p.c_groups);
        long first = 0;
        for (unsigned block = 0; block < blocks; block++) {
            const long n = small + (block < larger);
            if (vectors == 1) tile_of<P, 1>(int(n), count, p);
            else if (vectors == 2) tile_of<P, 2>(int(n), count, p);
            else if constexpr (tile_vectors > 2) {
                if (vectors == 3) tile_of<P, 3>(int(n), count, p);
                else if constexpr (tile_vectors > 3) tile_of<P, 4>(int(n), count, p);
            }
            done(first, n, v, long(vectors));
            p.a += n * p.a_row;
            p.start += n * p.start_row;
            if (!reuse) p.c += n * p.c_row;
            first += n;
        }
        v += vectors;
    }
}

template <class P>
INLINE void multiply(long rows, long total, long count, const Product<typename P::T>& whole) {
    multiply<P>(rows, total, count, whole, false, [](long, long, long, long) {});
}

}  // namespace
}  // namespace kilonet
