// The passes over a batch: gather, forward, loss, back, gradients. Rows belong to one thread
// through gather, forward, loss and back; weights belong to one thread through gradient and update.
#pragma once
#include "losses.h"
#include "units.h"
#include "updates.h"

namespace kilonet {
namespace {

// Terms of a sum that stay in the first cache while the accumulators visit every row: a block
// spills its accumulators and takes them up again.
template <class T> inline constexpr long sum_block = KILONET_VECTOR_BYTES == 64 ? 512 / long(sizeof(T)) : 1600 / long(sizeof(T));

template <class T>
struct Range { long from, to; long size() const { return to - from; } };

template <class T>
INLINE Range<T> share(long n, int thread, int threads) { return {n * thread / threads, n * (thread + 1) / threads}; }

// Parts of a thread's scratch memory.
template <class T>
struct Scratch {
    T *tile, *panel, *judge, *factors, *across;
    std::uint32_t* words;
    static long widest(const Net<T>& net) {
        long n = net.n_inputs;
        for (long l = 0; l < net.n_layers; l++) n = net.layers[l].width > n ? net.layers[l].width : n;
        return round_up(n, 16) + 16;
    }
    Scratch(const Net<T>& net, int thread, int threads) {
        tile = net.scratch + thread * net.scratch_size;
        panel = tile + scratch_tile;
        judge = panel + scratch_panel;
        factors = judge + 3 * 16 * net.n_outputs;
        words = reinterpret_cast<std::uint32_t*>(factors + widest(net));
        across = net.across + thread * ((widest(net) + threads - 1) / threads) * net.across_stride;
    }
};

template <class T>
void gather_row(const Net<T>& net, const Data<T>& data, long example, T* to) {
    if (data.dense) {
        __builtin_memcpy(to, data.dense + example * net.n_inputs, net.n_inputs * sizeof(T));
        return;
    }
    __builtin_memset(to, 0, net.n_inputs * sizeof(T));
    for (std::int64_t e = data.starts[example]; e < data.starts[example + 1]; e++) to[data.columns[e]] = data.entries[e];
}

// c = start + a · b over `count` terms, in blocks; a's terms lie side by side.
template <class T>
void multiply_in_blocks(long rows, long columns, long count, Product<T> p) {
    const long blocks = (count + sum_block<T> - 1) / sum_block<T>;
    const Product<T> whole = p;
    for (long block = 0, first = 0; block < blocks; block++) {
        const long next = count * (block + 1) / blocks;
        p.a = whole.a + first;
        p.b = whole.b + first * whole.b_step;
        multiply<T>(rows, columns, next - first, p);
        p.start = p.c;
        p.start_row = p.c_row;
        p.start_groups = p.c_groups;
        first = next;
    }
}

// Rows `in` (row 0 of the range first) through layers 0 … last; results in the buffers' rows [from, to).
template <class T>
void forward(const Net<T>& net, const T* in, long in_stride, long from, long to, long last, bool train, const Dropout<T>* dropout) {
    constexpr long G = group<T>;
    for (long l = 0; l <= last; l++) {
        const Layer<T>& layer = net.layers[l];
        multiply_in_blocks<T>(to - from, layer.width, layer.fan_in,
            {in, in_stride, 1, layer.value.W, G, layer.fan_in * G, layer.value.b, 0, G, layer.before + from * layer.width_stride, layer.width_stride, G});
        activate<T>(layer, l, from, to, train, dropout);
        in = layer.out + from * layer.unit_stride;
        in_stride = layer.unit_stride;
    }
}

template <class T>
void back(const Net<T>& net, long from, long to) {
    constexpr long G = group<T>;
    for (long l = net.n_layers - 1; l >= 0; l--) {
        const Layer<T>& layer = net.layers[l];
        unit_back<T>(layer, from, to);
        if (l == 0) return;
        const Layer<T>& below = net.layers[l - 1];
        multiply_in_blocks<T>(to - from, layer.fan_in, layer.width,
            {layer.delta + from * layer.width_stride, layer.width_stride, 1, layer.back, G, layer.width * G, net.zeros, 0, G,
             below.incoming + from * below.unit_stride, below.unit_stride, G});
    }
}

// A gradient walks down the columns of the batch: every row is another page of memory, where no
// prefetching reaches. Two remedies. Wide layers, whose units share the cost, lay the columns out as
// rows first, and the deltas of a tile's columns side by side. Others take so many inputs together
// that their columns stay in the second cache while all tiles of units visit them.
template <class T>
INLINE bool far_apart(long rows, long stride) { return rows * stride * long(sizeof(T)) > 64 * 1024; }

template <class T>
INLINE bool lays_across(const Layer<T>& layer, long rows) { return layer.width >= wide && far_apart<T>(rows, layer.fan_in); }

template <class T>
INLINE long inputs_together(const Layer<T>& layer, long rows) {
    if (lays_across<T>(layer, rows)) return layer.fan_in;
    const long fitting = 64 * 1024 / (rows * long(sizeof(T)));
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

// What a gradient's product reads: inputs of rows [first, first + rows) and the layer's deltas.
template <class T>
struct Sources { const T* in; long in_row, in_step; const T* delta; long delta_step; };

template <class T>
Sources<T> sources(const Net<T>& net, long l, long first, long rows, Range<T> k, T* across) {
    const Layer<T>& layer = net.layers[l];
    const T* in = l ? net.layers[l - 1].out : net.input;
    const long stride = l ? net.layers[l - 1].unit_stride : net.input_stride;
    in += first * stride;
    const T* delta = layer.delta + first * layer.width_stride;
    if (!lays_across<T>(layer, rows)) return {in + k.from, 1, stride, delta, layer.width_stride};
    lay_across<T>(in, stride, rows, k, across, net.across_stride);
    return {across, net.across_stride, 1, delta, layer.width_stride};
}

// Gradient of the weights of inputs [k.from, k.to) of a layer, and their update.
template <class T>
void learn_weights(const Net<T>& net, long l, Range<T> k, long rows, Rule rule, const StepConstants<T>& c, const Scratch<T>& scratch) {
    constexpr long G = group<T>;
    const Layer<T>& layer = net.layers[l];
    const long blocks = (rows + row_block - 1) / row_block, total = (layer.width + lanes<T> - 1) / lanes<T>;
    for (long block = 0, first = 0; block < blocks; block++) {
        const long next = rows * (block + 1) / blocks, count = next - first;
        const Sources<T> from = sources<T>(net, l, first, count, k, scratch.across);
        for (long v = 0, vectors; v < total; v += vectors) {
            vectors = next_vectors(total - v);
            Product<T> p{from.in, from.in_row, from.in_step, from.delta + v * lanes<T>, from.delta_step, G, net.zeros, 0, 0, scratch.tile, G, tile_rows(1) * G};
            if (lays_across<T>(layer, count) && far_apart<T>(count, layer.width_stride)) {
                p.b_step = vectors * lanes<T>;
                for (long r = 0; r < count; r++) __builtin_memcpy(scratch.panel + r * p.b_step, p.b + r * from.delta_step, p.b_step * sizeof(T));
                p.b = scratch.panel;
            }
            T* const waiting = layer.gradient.W + column<T>(v, layer.fan_in * G) + k.from * G;
            if (blocks > 1) {  // the accumulators wait in the gradient's own memory between blocks
                p.c = waiting;
                p.c_groups = layer.fan_in * G;
                if (block) { p.start = p.c; p.start_row = G; p.start_groups = p.c_groups; }
            }
            multiply<T>(k.size(), vectors * lanes<T>, count, p, blocks == 1, [&](long i, long n, long, long) {
                if (next < rows) return;
                update_tile<T>(layer, rule, c, blocks == 1 ? scratch.tile : waiting + i * G, p.c_groups, k.from + i, n, v, vectors);
            });
        }
        first = next;
    }
}

template <class T>
void learn_biases(const Layer<T>& layer, long rows, Rule rule, const StepConstants<T>& c, int thread, int threads) {
    const Range<T> v = share<T>((layer.width + lanes<T> - 1) / lanes<T>, thread, threads);
    update_vectors<T>(v.from, v.to, rows, [&](long r, long j, Vec<T> sum) { return sum + load<T>(layer.delta + r * layer.width_stride + j); },
        rule, c, layer.value.b, layer.first.b, layer.second.b, layer.gradient.b);
    if (!layer.value.alpha) return;
    const auto slope = [&](long r, long j, Vec<T> sum) {
        const long at = r * layer.unit_stride + j;
        return fma(load<T>(layer.negative + at), load<T>(layer.incoming + at), sum);
    };
    update_vectors<T>(v.from, v.to, rows, slope, rule, c, layer.value.alpha, layer.first.alpha, layer.second.alpha, layer.gradient.alpha);
}

// Gradients over `rows` rows, and the update of what belongs to this thread.
template <class T>
void learn(const Net<T>& net, long rows, Rule rule, const StepConstants<T>& c, const Scratch<T>& scratch, int thread, int threads) {
    for (long l = net.n_layers - 1; l >= 0; l--) {
        const Range<T> k = share<T>(net.layers[l].fan_in, thread, threads);
        const long together = inputs_together<T>(net.layers[l], rows < row_block ? rows : row_block);
        for (long from = k.from; from < k.to; from += together)
            learn_weights<T>(net, l, {from, from + together < k.to ? from + together : k.to}, rows, rule, c, scratch);
        learn_biases<T>(net.layers[l], rows, rule, c, thread, threads);
    }
}

}  // namespace
}  // namespace kilonet
