// The inner loop: a register tile of accumulators, and the product of matrices made of such tiles.
//
// acc[i][j] = fma(a[i], b[j], acc[i][j]) for p = 0 … count-1. One accumulator belongs to one
// output; the summed axis is never split between accumulators (docs/arithmetic.md), so neither
// the tile's shape nor the number of lanes can change a bit.
#pragma once
#include "packing.h"

namespace kilonet {
namespace {

// What becomes of a finished sum: it stays; a ReLU's output is made of it; what comes back to a ReLU passes
// where that was on; or it is the gradient of a weight that SGD moves, without L2 or with it.
enum class Finish { as_is, rectified, gated, descended, decayed };

// Vectors j = 0, 1, … of a row lie `column<P>(j, groups)` entries from its start: row-major buffers have
// groups == group, weights (see plan.h) the distance between two groups.
template <class T>
struct Product {
    const T* a; long a_row, a_step;            // a[i * a_row + p * a_step]: one element for all lanes, or with `own` a vector
    const T* b; long b_step, b_groups;         // b[p * b_step + columns]
    const T* start; long start_row, start_groups;  // first value of the accumulators
    T* c; long c_row, c_groups;                // where they go
    bool own = false;                          // whether members have an `a` of their own
    Finish finish = Finish::as_is;
    const T* gate = nullptr;                   // gated: outputs of the ReLU, with the strides of c,
    const T* keep = nullptr;                   // and a vector of what passes is multiplied with, or null
    const T *l2 = nullptr, *rate = nullptr;    // decayed, descended: one for each lane
};

template <class P>
INLINE constexpr long column(long vector, long groups) {
    constexpr long width = lanes<typename P::T>, in_group = P::group / width;
    return vector / in_group * groups + vector % in_group * width;
}

// Pointers walk: sums of them, worked out ahead for a whole tile, would not find room in registers.
template <class T> INLINE void walk(T*& p, long step) {
    p += step;
    asm("" : "+r"(p));
}

template <class P, int rows, int vectors, class T = typename P::T>
INLINE void gate_tile(Vec<T> (&acc)[rows][vectors], const T* c, const Product<T>& p) {
    const Vec<T> zero{};
    const T* gate = p.gate + (c - p.c);
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++, walk(gate, p.c_row))
#pragma GCC unroll 4
        for (int j = 0; j < vectors; j++) acc[i][j] = load<T>(gate + column<P>(j, p.c_groups)) > zero ? acc[i][j] : zero;
    if (!p.keep) return;
    const Vec<T> keep = load<T>(p.keep);
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 4
        for (int j = 0; j < vectors; j++) acc[i][j] *= keep;
}

template <class P, int rows, int vectors, class T = typename P::T>
INLINE void finish_tile(Vec<T> (&acc)[rows][vectors], const T* c, const Product<T>& p) {
    const Vec<T> zero{};
    if (p.finish == Finish::rectified) {
#pragma GCC unroll 16
        for (int i = 0; i < rows; i++)
#pragma GCC unroll 4
            for (int j = 0; j < vectors; j++) acc[i][j] = acc[i][j] <= zero ? zero : acc[i][j];  // as unit_at has it
        return;
    }
    if (p.finish == Finish::gated) return gate_tile<P, rows, vectors>(acc, c, p);
    // The same steps as in update<Rule::sgd>.
    const Vec<T> l2 = p.finish == Finish::decayed ? load<T>(p.l2) : zero, down = -load<T>(p.rate);
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++, walk(c, p.c_row))
#pragma GCC unroll 4
        for (int j = 0; j < vectors; j++) {
            const Vec<T> w = load<T>(c + column<P>(j, p.c_groups));
            if (p.finish == Finish::decayed) acc[i][j] = fma(l2, w, acc[i][j]);
            acc[i][j] = fma(down, acc[i][j], w);
        }
}

// The first values of the accumulators: mostly the same for all rows, biases or zeros.
template <class P, int rows, int vectors, class T = typename P::T>
INLINE void begin_tile(Vec<T> (&acc)[rows][vectors], const T*& start, long start_row, long start_groups) {
    if (start_row == 0) {
#pragma GCC unroll 4
        for (int j = 0; j < vectors; j++) {
            Vec<T> same = load<T>(start + column<P>(j, start_groups));
            hold(same);
#pragma GCC unroll 16
            for (int i = 0; i < rows; i++) acc[i][j] = same;
        }
        return;
    }
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++, walk(start, start_row))
#pragma GCC unroll 4
        for (int j = 0; j < vectors; j++) acc[i][j] = load<T>(start + column<P>(j, start_groups));
}

// A strip of tiles, one below the other: short sums do not wait for calls and for guesses of where they go.
// The places that change from strip to strip are plain arguments, so that no product is copied.
template <class P, int rows, int vectors, bool own, class T = typename P::T>
void strip(long tiles, long count, const T* first, const T* b_first, const T* start, T* c, const Product<T>& p) {
    const long a_row = p.a_row, a_step = p.a_step, b_step = p.b_step, b_groups = p.b_groups;
    const long start_row = p.start_row, start_groups = p.start_groups, c_row = p.c_row, c_groups = p.c_groups;
    for (long tile = 0; tile < tiles; tile++) {
        Vec<T> acc[rows][vectors];
        begin_tile<P, rows, vectors>(acc, start, start_row, start_groups);
        const T *a = first, *b = b_first;
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
                hold(x);
#pragma GCC unroll 4
                for (int j = 0; j < vectors; j++) acc[i][j] = fma(x, bs[j], acc[i][j]);
            }
            a += a_step;
            b += b_step;
        } while (--left);
        if (p.finish != Finish::as_is) finish_tile<P, rows, vectors>(acc, c, p);
#pragma GCC unroll 16
        for (int i = 0; i < rows; i++, walk(c, c_row))
#pragma GCC unroll 4
            for (int j = 0; j < vectors; j++) store<T>(c + column<P>(j, c_groups), acc[i][j]);
        first += rows * a_row;
    }
}

template <class P, int vectors, class T = typename P::T>
void strip_of(int rows, long tiles, long count, const T* a, const T* b, const T* start, T* c, const Product<T>& p) {
    constexpr int most = tile_rows(vectors);
    switch (rows) {
#define ROWS(n)                                                                                        \
    case n:                                                                                            \
        if constexpr (n <= most) {                                                                     \
            if constexpr (P::networks)                                                                 \
                if (p.own) return strip<P, n, vectors, true>(tiles, count, a, b, start, c, p);         \
            strip<P, n, vectors, false>(tiles, count, a, b, start, c, p);                              \
        }                                                                                              \
        break;
        ROWS(1) ROWS(2) ROWS(3) ROWS(4) ROWS(5) ROWS(6) ROWS(7) ROWS(8) ROWS(9) ROWS(10) ROWS(11) ROWS(12) ROWS(13) ROWS(14)
#undef ROWS
    }
}

template <class P, class T = typename P::T>
INLINE void strip_of(int vectors, int rows, long tiles, long count, const T* a, const T* b, const T* start, T* c, const Product<T>& p) {
    if (vectors == 1) return strip_of<P, 1>(rows, tiles, count, a, b, start, c, p);
    if (vectors == 2) return strip_of<P, 2>(rows, tiles, count, a, b, start, c, p);
    if constexpr (tile_vectors > 2) {
        if (vectors == 3) return strip_of<P, 3>(rows, tiles, count, a, b, start, c, p);
        strip_of<P, 4>(rows, tiles, count, a, b, start, c, p);
    }
}

// So many rows cut into tiles of nearly equal height: a last tile of two rows would leave the multiply-add units waiting.
struct Heights {
    int rows;                // of the tiles,
    unsigned tiles, larger;  // of which the first ones have one more
    Heights(long n, int vectors) {
        const unsigned most = unsigned(tile_rows(vectors));
        tiles = (unsigned(n) + most - 1) / most;
        rows = int(unsigned(n) / tiles);
        larger = unsigned(n) % tiles;
    }
};

// All rows of so many vectors of columns.
template <class P, class T = typename P::T>
INLINE void multiply_vectors(const Heights& h, int vectors, long count, const T* a, const T* b, const T* start, T* c, const Product<T>& p) {
    if (h.larger) {
        strip_of<P>(vectors, h.rows + 1, h.larger, count, a, b, start, c, p);
        const long done = long(h.larger) * (h.rows + 1);
        a += done * p.a_row;
        start += done * p.start_row;
        c += done * p.c_row;
    }
    strip_of<P>(vectors, h.rows, h.tiles - h.larger, count, a, b, start, c, p);
}

// The whole product, `total` vectors of columns.
template <class P, class T = typename P::T>
INLINE void multiply(long rows, long total, long count, const Product<T>& p) {
    if (rows == 0) return;  // a thread without a share
    for (long v = 0; v < total;) {
        const int vectors = next_vectors(total - v, rows);
        const Heights heights(rows, vectors);
        do {  // usually many of one width
            multiply_vectors<P>(heights, vectors, count, p.a, p.b + column<P>(v, p.b_groups), p.start + column<P>(v, p.start_groups),
                p.c + column<P>(v, p.c_groups), p);
            v += vectors;
        } while (v < total && next_vectors(total - v, rows) == vectors);
    }
}

}  // namespace
}  // namespace kilonet
