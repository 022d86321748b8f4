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
template <class T> inline constexpr long sum_block = KILONET_VECTOR_BYTES == 64 ? 512 / long(sizeof(T)) : 1024 / long(sizeof(T));

template <class T>
struct Range { long from, to; long size() const { return to - from; } };

template <class T>
INLINE Range<T> share(long n, int thread, int threads) { return {n * thread / threads, n * (thread + 1) / threads}; }

// Parts of a thread's scratch memory.
template <class T>
struct Scratch {
    T *tile, *judge, *factors;
    std::uint32_t* words;
    static constexpr long tile_size = 16 * 4 * 16, most_lanes = 16;
    static long size(const Net<T>& net) { return tile_size + 3 * net.n_outputs * most_lanes + widest(net) + 4 * widest(net); }
    static long widest(const Net<T>& net) {
        long n = net.n_inputs;
        for (long l = 0; l < net.n_layers; l++) n = net.layers[l].width > n ? net.layers[l].width : n;
        return round_up(n, 16) + 16;
    }
    Scratch(const Net<T>& net, int thread) {
        tile = net.scratch + thread * net.scratch_size;
        judge = tile + tile_size;
        factors = judge + 3 * net.n_outputs * most_lanes;
        words = reinterpret_cast<std::uint32_t*>(factors + widest(net));
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

// Inputs of a layer taken together in the gradient: their columns of the batch stay in the second
// cache while every tile of units visits them. Those columns lie a row apart, where no prefetching
// reaches. A multiple of all tile heights.
template <class T>
INLINE long input_block(long rows) {
    const long fitting = 64 * 1024 / (rows * long(sizeof(T)));
    return fitting < 48 ? 48 : fitting / 48 * 48;
}

// Gradient of the weights of inputs [k.from, k.to) of a layer, and their update.
template <class T>
void learn_weights(const Net<T>& net, long l, Range<T> k, long rows, Rule rule, const StepConstants<T>& c, T* tile) {
    constexpr long G = group<T>, tile_groups = tile_rows(1) * G;
    const Layer<T>& layer = net.layers[l];
    const T* in = l ? net.layers[l - 1].out : net.input;
    const long in_stride = l ? net.layers[l - 1].unit_stride : net.input_stride;
    const long blocks = (rows + row_block - 1) / row_block;
    for (long block = 0, first = 0; block < blocks; block++) {
        const long next = rows * (block + 1) / blocks;
        Product<T> p{in + first * in_stride + k.from, 1, in_stride, layer.delta + first * layer.width_stride, layer.width_stride, G, net.zeros, 0, 0,
                     tile, G, tile_groups};
        if (blocks > 1) {  // the accumulators wait in the gradient's own memory between blocks
            p.c = layer.gradient.W + k.from * G;
            p.c_groups = layer.fan_in * G;
            if (block) { p.start = p.c; p.start_row = G; p.start_groups = p.c_groups; }
        }
        const bool finished = next == rows;
        multiply<T>(k.size(), layer.width, next - first, p, blocks == 1, [&](long i, long n, long v, long vectors) {
            if (!finished) return;
            const T* gradient = blocks == 1 ? tile : layer.gradient.W + column<T>(v, layer.fan_in * G) + (k.from + i) * G;
            update_tile<T>(layer, rule, c, gradient, p.c_groups, k.from + i, n, v, vectors);
        });
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
    const long block = input_block<T>(rows < row_block ? rows : row_block);
    for (long l = net.n_layers - 1; l >= 0; l--) {
        const Range<T> k = share<T>(net.layers[l].fan_in, thread, threads);
        for (long from = k.from; from < k.to; from += block)
            learn_weights<T>(net, l, {from, from + block < k.to ? from + block : k.to}, rows, rule, c, scratch.tile);
        learn_biases<T>(net.layers[l], rows, rule, c, thread, threads);
    }
}

}  // namespace
}  // namespace kilonet
