// The inner loop: a register tile of accumulators, and the product of matrices made of such tiles.
//
// acc[i][j] = fma(a[i], b[j], acc[i][j]) for p = 0 … count-1. One accumulator belongs to one
// output; the summed axis is never split between accumulators (docs/arithmetic.md), so neither
// the tile's shape nor the number of lanes can change a bit.
#pragma once
#include "isa.h"

namespace kilonet {
namespace {

// Vectors of columns j = 0, 1, … lie at (j * lanes / group) * groups + (j * lanes) % group: row-major
// matrices have groups == group, grouped ones (see plan.h) the distance between two groups.
template <class T>
struct Product {
    const T* a; long a_row, a_step;            // a[i * a_row + p * a_step], one element for all lanes
    const T* b; long b_step, b_groups;         // b[p * b_step + columns]
    const T* start; long start_row, start_groups;  // first value of the accumulators
    T* c; long c_row, c_groups;                // where they go
};

template <class T>
INLINE constexpr long column(long vector, long groups) {
    constexpr long in_group = group<T> / lanes<T>;
    return vector / in_group * groups + vector % in_group * lanes<T>;
}

template <class T, int rows, int vectors>
void tile(long count, const Product<T>& p) {
    Vec<T> acc[rows][vectors];
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 4
        for (int j = 0; j < vectors; j++) acc[i][j] = load<T>(p.start + i * p.start_row + column<T>(j, p.start_groups));
    const T *a = p.a, *b = p.b;
    const long a_row = p.a_row, a_step = p.a_step, b_step = p.b_step, b_groups = p.b_groups;
    T* const c = p.c;
    const long c_row = p.c_row, c_groups = p.c_groups;
    long left = count;
    do {  // never empty: layers have inputs and batches have rows
        Vec<T> bs[vectors];
#pragma GCC unroll 4
        for (int j = 0; j < vectors; j++) {
            bs[j] = load<T>(b + column<T>(j, b_groups));
            hold(bs[j]);
        }
#pragma GCC unroll 16
        for (int i = 0; i < rows; i++) {
            const Vec<T> x = all<T>(a[i * a_row]);
#pragma GCC unroll 4
            for (int j = 0; j < vectors; j++) acc[i][j] = fma(x, bs[j], acc[i][j]);
        }
        a += a_step;
        b += b_step;
    } while (--left);
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 4
        for (int j = 0; j < vectors; j++) store<T>(c + i * c_row + column<T>(j, c_groups), acc[i][j]);
}

template <class T, int vectors>
void tile_of(int rows, long count, const Product<T>& p) {
    constexpr int most = tile_rows(vectors);
    switch (rows) {
#define ROWS(n) case n: if constexpr (n <= most) tile<T, n, vectors>(count, p); break;
        ROWS(1) ROWS(2) ROWS(3) ROWS(4) ROWS(5) ROWS(6) ROWS(7) ROWS(8) ROWS(9) ROWS(10) ROWS(11) ROWS(12) ROWS(13) ROWS(14)
#undef ROWS
    }
}

// The whole product: `columns` columns in vectors, `rows` rows in blocks of nearly equal size (a
// last block of two rows would leave the multiply-add units waiting). After each tile,
// done(first row, rows, first vector, vectors). With `reuse` every tile goes to the same c.
template <class T, class Done>
INLINE void multiply(long rows, long columns, long count, const Product<T>& whole, bool reuse, Done done) {
    if (rows == 0) return;  // a thread without a share
    const long total = (columns + lanes<T> - 1) / lanes<T>;
    for (long v = 0; v < total;) {
        const int vectors = next_vectors(total - v);
        const unsigned most = unsigned(tile_rows(vectors));
        const unsigned blocks = (unsigned(rows) + most - 1) / most, small = unsigned(rows) / blocks, larger = unsigned(rows) % blocks;
        Product<T> p = whole;
        p.b += column<T>(v, p.b_groups);
        p.start += column<T>(v, p.start_groups);
        if (!reuse) p.c += column<T>(v, p.c_groups);
        long first = 0;
        for (unsigned block = 0; block < blocks; block++) {
            const long n = small + (block < larger);
            if (vectors == 1) tile_of<T, 1>(int(n), count, p);
            else if (vectors == 2) tile_of<T, 2>(int(n), count, p);
            else if constexpr (tile_vectors > 2) {
                if (vectors == 3) tile_of<T, 3>(int(n), count, p);
                else if constexpr (tile_vectors > 3) tile_of<T, 4>(int(n), count, p);
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

template <class T>
INLINE void multiply(long rows, long columns, long count, const Product<T>& whole) {
    multiply<T>(rows, columns, count, whole, false, [](long, long, long, long) {});
}

}  // namespace
}  // namespace kilonet
