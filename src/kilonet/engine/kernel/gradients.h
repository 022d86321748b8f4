// From inputs and deltas to new parameters: the gradients of a batch, summed over its rows and over all places that
// share a layer's parameters, and the updates.
#pragma once
#include "passes.h"

namespace kilonet {
namespace {

// A gradient walks down the columns of the batch: every row is another page of memory, where no
// prefetching reaches. Two remedies. Wide layers, whose units share the cost, lay the columns out as
// rows first, and the deltas of a tile's columns side by side. Others take so many inputs together
// that their columns stay in the second cache while all tiles of units visit them.
template <class T>
INLINE bool far_apart(long rows, long stride) { return rows * stride * long(sizeof(T)) > 64 * 1024; }

template <class P, class T = typename P::T>
INLINE bool lays_across(const Layer<T>& layer, long rows) { return !P::networks && layer.width >= wide && far_apart<T>(rows, layer.fan_in); }

template <class P, class T = typename P::T>
INLINE long inputs_together(const Layer<T>& layer, long rows, long entries) {
    if (lays_across<P>(layer, rows)) return layer.fan_in;
    const long fitting = 64 * 1024 / (rows * entries * long(sizeof(T)));
    return fitting < 48 ? 48 : fitting / 48 * 48;  // a multiple of all tile heights
}

// in[row][k] to across[k - k.from][row], for k in [k.from, k.to), in squares of a cache line.
template <class T>
void lay_across(const T* in, long in_stride, long rows, Range<T> k, T* across, long across_stride) {
    constexpr long square = group<T>;
    for (long k0 = k.from; k0 < k.to; k0 += square)
        for (long r0 = 0; r0 < rows; r0 += square) {
            const long k1 = k0 + square < k.to ? k0 + square : k.to, r1 = r0 + square < rows ? r0 + square : rows;
            for (long i = k0; i < k1; i++)
                for (long r = r0; r < r1; r++) across[(i - k.from) * across_stride + r] = in[r * in_stride + i];
        }
}

// The source that a layer takes its k-th input from.
template <class T>
INLINE const Source& source_at(const Layer<T>& layer, long k) {
    const Source* source = layer.sources;
    while (source->start + source->size <= k) source++;
    return *source;
}

// What a gradient's product reads: inputs k of rows [first, first + rows) and the layer's deltas.
template <class T>
struct Operands { const T* in; long in_row, in_step; const T* delta; long delta_step; bool own; };

// k: inputs from one source.
template <class P, class T = typename P::T>
Operands<T> operands(const Net<T>& net, const Layer<T>& layer, long first, long rows, Range<T> k, T* across) {
    const Source& source = source_at(layer, k.from);
    const Inputs<T> in = outputs_of<P>(net, source.layer).from(first);
    const T* delta = layer.delta + first * layer.width_stride;
    k = {k.from - source.start, k.to - source.start};
    if (!lays_across<P>(layer, rows)) return {in.at + k.from * apart<P>(in), apart<P>(in), in.stride, delta, layer.width_stride, in.own};
    lay_across<T>(in.at, in.stride, rows, k, across, net.across_stride);
    return {across, net.across_stride, 1, delta, layer.width_stride, false};
}

// Plain SGD on the weights of some vectors of columns, each tile while its gradient is in registers.
template <class P, class T = typename P::T>
void descend(const Layer<T>& layer, Range<T> k, long count, long v, int vectors, Product<T> p, const StepConstants<T>& c) {
    T l2[lanes<T>], rate[lanes<T>];
    store<T>(l2, c.l2);
    store<T>(rate, c.rate);
    p.finish = c.cases == Cases::plain ? Finish::descended : Finish::decayed;
    p.l2 = l2;
    p.rate = rate;
    p.c = layer.value.W + column<P>(v, layer.groups) + k.from * P::group;
    p.c_groups = layer.groups;
    multiply_vectors<P>(Heights(k.size(), vectors), vectors, count, p.a, p.b, p.start, p.c, p);
}

// So many rows of a batch at one of the places that share parameters, among all such blocks the first one or the last.
struct Block { long first, count; bool begins, ends; };

// A block's share of the gradient of the weights of inputs k, which come from one source; with the last one their update.
// Between blocks the accumulators wait in the gradient's own memory.
template <class P, class T = typename P::T>
void learn_block(const Net<T>& net, const Layer<T>& layer, Range<T> k, Block block, Rule rule, const StepConstants<T>& c, const Scratch<T>& scratch) {
    constexpr long G = P::group;
    const long count = block.count, total = P::vectors(layer.width);
    const Operands<T> from = operands<P>(net, layer, block.first, count, k, scratch.across);
    const bool kept = !block.begins || !block.ends || c.keeps;
    for (long v = 0, vectors; v < total; v += vectors) {
        vectors = next_vectors(total - v, k.size());
        Product<T> p{from.in, from.in_row, from.in_step, from.delta + v * lanes<T>, from.delta_step, G, net.zeros, 0, 0, scratch.tile, G, update_rows * G, from.own};
        if (lays_across<P>(layer, count) && far_apart<T>(count, layer.width_stride)) {
            p.b_step = vectors * lanes<T>;
            for (long r = 0; r < count; r++) __builtin_memcpy(scratch.panel + r * p.b_step, p.b + r * from.delta_step, p.b_step * sizeof(T));
            p.b = scratch.panel;
        }
        if (!kept && c.descends) {
            descend<P>(layer, k, count, v, int(vectors), p, c);
            continue;
        }
        if (kept) p.c_groups = layer.groups;
        for (long i = k.from, n; i < k.to; i += n) {
            n = k.to - i < update_rows ? k.to - i : update_rows;
            if (kept) {
                p.c = layer.gradient.W + column<P>(v, layer.groups) + i * G;
                if (!block.begins) { p.start = p.c; p.start_row = G; p.start_groups = p.c_groups; }
            }
            multiply_vectors<P>(Heights(n, int(vectors)), int(vectors), count, p.a + (i - k.from) * p.a_row, p.b, p.start, p.c, p);
            if (block.ends) update_tile<P>(layer, rule, c, p.c, p.c_groups, i, n, v, vectors);
        }
    }
}

// Gradient of the weights of inputs k of a layer, over all places where it is applied, and their update.
template <class P, class T = typename P::T>
void learn_weights(const Net<T>& net, long l, Range<T> k, long rows, Rule rule, const StepConstants<T>& c, const Scratch<T>& scratch) {
    const long blocks = (rows + row_block - 1) / row_block;
    for (long place = l; place >= 0; place = net.layers[place].again)
        for (long block = 0, first = 0, next; block < blocks; block++, first = next) {
            next = rows * (block + 1) / blocks;
            const bool begins = place == l && block == 0, ends = net.layers[place].again < 0 && next == rows;
            learn_block<P>(net, net.layers[place], k, {first, next - first, begins, ends}, rule, c, scratch);
        }
}

template <class P, class T = typename P::T>
void learn_biases(const Net<T>& net, long l, long rows, Rule rule, const StepConstants<T>& c, int thread, int threads) {
    const Layer<T>& layer = net.layers[l];
    const Range<T> v = share<T>(P::vectors(layer.width), thread, threads);
    const auto delta = [](const Layer<T>& at, long r, long j, Vec<T> sum) { return sum + load<T>(at.delta + r * at.width_stride + j); };
    update_vectors<T>(v.from, v.to, net, l, rows, delta, rule, c, layer.value.b, layer.first.b, layer.second.b, layer.gradient.b);
    if (!layer.value.alpha) return;
    const auto slope = [](const Layer<T>& at, long r, long j, Vec<T> sum) {
        const long place = r * at.unit_stride + j;
        return fma(load<T>(at.negative + place), load<T>(at.incoming + place), sum);
    };
    update_vectors<T>(v.from, v.to, net, l, rows, slope, rule, c, layer.value.alpha, layer.first.alpha, layer.second.alpha, layer.gradient.alpha);
}

// Where the inputs from `k` on stop coming from one source, at any of the places where the layer is applied.
template <class T>
long end_of_source(const Net<T>& net, long l, long k) {
    long end = net.layers[l].fan_in;
    for (long place = l; place >= 0; place = net.layers[place].again) {
        const Source& source = source_at(net.layers[place], k);
        end = source.start + source.size < end ? source.start + source.size : end;
    }
    return end;
}

// Gradients over `rows` rows, and the update of what belongs to this thread.
template <class P, class T = typename P::T>
void learn(const Net<T>& net, long rows, Rule rule, const StepConstants<T>& c, const Scratch<T>& scratch, int thread, int threads) {
    for (long l = net.n_layers - 1; l >= 0; l--) {
        const Layer<T>& layer = net.layers[l];
        if (!layer.own) continue;
        Range<T> k = share<T>(layer.fan_in, thread, threads);
        for (const long last = k.to; k.from < last; k.from = k.to) {
            const Inputs<T> in = outputs_of<P>(net, source_at(layer, k.from).layer);
            const long most = k.from + inputs_together<P>(layer, rows < row_block ? rows : row_block, apart<P>(in));
            const long end = end_of_source(net, l, k.from);
            k.to = most < last ? most : last;
            k.to = end < k.to ? end : k.to;
            learn_weights<P>(net, l, k, rows, rule, c, scratch);
        }
        learn_biases<P>(net, l, rows, rule, c, thread, threads);
    }
}

}  // namespace
}  // namespace kilonet
