// The passes over a batch: gather, forward, loss, back. Rows belong to one thread through all of them; weights belong
// to one thread through gradient and update (gradients.h).
#pragma once
#include <sched.h>

#include "losses.h"
#include "units.h"
#include "updates.h"

namespace kilonet {
namespace {

inline void meet(Barrier& b) {
    if (b.threads == 1) return;
    const int round = __atomic_load_n(&b.round, __ATOMIC_RELAXED);
    if (__atomic_add_fetch(&b.waiting, 1, __ATOMIC_ACQ_REL) == b.threads) {
        __atomic_store_n(&b.waiting, 0, __ATOMIC_RELAXED);
        __atomic_store_n(&b.round, round + 1, __ATOMIC_RELEASE);
        return;
    }
    for (int spins = 0; __atomic_load_n(&b.round, __ATOMIC_ACQUIRE) == round; spins++)
        if (spins < 2000) relax();
        else sched_yield();  // somebody else has our core: let the other thread come here
}

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
    T *tile, *panel, *judge, *across;
    std::uint32_t* words;
    Scratch(const Net<T>& net, int thread, int threads) {
        tile = net.scratch + thread * net.scratch_size;
        panel = tile + scratch_tile;
        judge = panel + scratch_panel;
        words = reinterpret_cast<std::uint32_t*>(judge + 3 * most_lanes * items_together(net.n_outputs) * net.n_outputs);
        across = net.across + thread * ((widest(net) + threads - 1) / threads) * net.across_stride;
    }
};

// Few numbers take less time than a call, into which the compiler would turn the loop if pointers did not walk.
template <class T>
INLINE void copy_row(T* to, const T* from, long n) {
    constexpr long few = 8;
    if (n > few) {
        __builtin_memcpy(to, from, n * sizeof(T));
        return;
    }
    for (; n > 0; n--, walk(from, 1)) *to++ = *from;
}

template <class T>
void gather_row(const Net<T>& net, const Data<T>& data, long example, T* to) {
    if (data.dense) {
        copy_row<T>(to, data.dense + example * net.n_inputs, net.n_inputs);
        return;
    }
    __builtin_memset(to, 0, net.n_inputs * sizeof(T));
    for (std::int64_t e = data.starts[example]; e < data.starts[example + 1]; e++) to[data.columns[e]] = data.entries[e];
}

// The same example of each member's table: a vector for each number of it.
template <class T>
void gather_members(const Net<T>& net, const Data<T>& data, long example, T* to) {
    constexpr long M = lanes<T>;
    const T* from[M];
    for (long m = 0; m < M; m++) from[m] = data.tables[m].dense + example * net.n_inputs;
    long k = 0;
    for (; k + M <= net.n_inputs; k += M) {
        Vec<T> square[M];
        for (long m = 0; m < M; m++) square[m] = load<T>(from[m] + k);
        transpose<T>(square);
        for (long i = 0; i < M; i++) store<T>(to + (k + i) * M, square[i]);
    }
    for (; k < net.n_inputs; k++)
        for (long m = 0; m < M; m++) to[k * M + m] = from[m][k];
}

// Gathered rows to a copy for each member, which then gets noise of its own.
template <class P, class T = typename P::T>
void spread_input(const Net<T>& net, long from, long to) {
    for (long i = from; i < to; i++) {
        const T* row = net.input + i * net.input_stride;
        T* own = net.own_input + i * net.own_stride;
        for (long k = 0; k < net.n_inputs; k++) store<T>(own + k * P::members, all<T>(row[k]));
    }
}

// c = start + a · b over `count` terms, in blocks; rows of c, vectors of its columns.
template <class P, class T = typename P::T>
INLINE void multiply_in_blocks(long rows, long vectors, long count, Product<T> p) {
    if (count <= sum_block<T>) return multiply<P>(rows, vectors, count, p);
    const long blocks = (count + sum_block<T> - 1) / sum_block<T>;
    const T *const a = p.a, *const b = p.b;
    const Finish finish = p.finish;
    for (long block = 0, first = 0; block < blocks; block++) {
        const long next = count * (block + 1) / blocks;
        p.a = a + first * p.a_step;
        p.b = b + first * p.b_step;
        p.finish = next == count ? finish : Finish::as_is;
        multiply<P>(rows, vectors, next - first, p);
        p.start = p.c;
        p.start_row = p.c_row;
        p.start_groups = p.c_groups;
        first = next;
    }
}

// What a layer takes in: rows of numbers, and whether each member has its own.
template <class T>
struct Inputs {
    const T* at;
    long stride;
    bool own;
    Inputs from(long row) const { return {at + row * stride, stride, own}; }
};

// Outputs of a layer, or with -1 the inputs of the network, as the buffers have them.
template <class P, class T = typename P::T>
Inputs<T> outputs_of(const Net<T>& net, long l) {
    if (l >= 0) return {net.layers[l].out, net.layers[l].unit_stride, P::networks};
    if (P::networks && net.own_input) return {net.own_input, net.own_stride, true};
    return {net.input, net.input_stride, false};
}

// Entries from one input to the next.
template <class P, class T>
INLINE long apart(const Inputs<T>& in) { return in.own ? P::members : 1; }

// The examples index(row) to the buffers' rows [from, to), and where the first of them then lies.
template <class P, class Index, class T = typename P::T>
Inputs<T> gather(const Net<T>& net, const Data<T>& data, long from, long to, Index index) {
    if constexpr (P::networks)
        if (data.own) {
            for (long i = from; i < to; i++) gather_members<T>(net, data, index(i), net.own_input + i * net.own_stride);
            return {net.own_input + from * net.own_stride, net.own_stride, true};
        }
    for (long i = from; i < to; i++) gather_row<T>(net, data, index(i), net.input + i * net.input_stride);
    return {net.input + from * net.input_stride, net.input_stride, false};
}

// The same of examples that follow each other from `first` on; those of a dense array stay where they are.
template <class P, class T = typename P::T>
Inputs<T> in_order(const Net<T>& net, const Data<T>& data, long from, long to, long first) {
    if (data.dense && !data.own) return {data.dense + first * net.n_inputs, net.n_inputs, false};
    return gather<P>(net, data, from, to, [=](long i) { return first + i - from; });
}

// Weighted sums of so many vectors of a layer's columns, for buffer rows [from, to); of a ReLU its outputs.
// first: inputs of the network, its row 0 for buffer row `from`.
template <class P, class T = typename P::T>
INLINE void weigh(const Net<T>& net, const Layer<T>& layer, Inputs<T> first, long from, long to, long vector, long vectors) {
    constexpr long G = P::group;
    const T* start = layer.value.b + vector * lanes<T>;
    T* const sums = layer.before + from * layer.width_stride + vector * lanes<T>;
    for (long s = 0; s < layer.n_sources; s++) {
        const Source& source = layer.sources[s];
        const Inputs<T> in = source.layer < 0 ? first : outputs_of<P>(net, source.layer).from(from);
        const bool rectifies = layer.unit == Unit::relu && s + 1 == layer.n_sources;
        multiply_in_blocks<P>(to - from, vectors, source.size,
            {in.at, in.stride, apart<P>(in), layer.value.W + column<P>(vector, layer.groups) + source.start * G, G, layer.groups,
             start, s ? layer.width_stride : 0, G, sums, layer.width_stride, G, in.own, rectifies ? Finish::rectified : Finish::as_is});
        start = sums;
    }
}

// Inputs `first` (its row 0 for buffer row `from`) through layers 0 … last; results in the buffers' rows [from, to).
// dropout: null where nothing is learned from this pass.
template <class P, class T = typename P::T>
void forward(const Net<T>& net, Inputs<T> first, long from, long to, long last, const Dropout* dropout) {
    for (long l = 0; l <= last; l++) {
        weigh<P>(net, net.layers[l], first, from, to, 0, P::vectors(net.layers[l].width));
        activate<P>(net, l, from, to, dropout);
    }
}

// Weights of the units [j.from, j.to), j.from a multiple of the lanes, and of the inputs [k.from, k.to) of one network:
// panel[j][k], a row for each unit, with zeros up to whole vectors.
template <class T>
void turn(const Layer<T>& layer, Range<T> j, Range<T> k, T* panel, long step) {
    constexpr long L = lanes<T>, G = group<T>;
    for (long unit = j.from; unit < j.to; unit += L) {
        const T* from = layer.value.W + unit / G * layer.groups + unit % G;
        T* const to = panel + (unit - j.from) * step;
        const long units = j.to - unit < L ? j.to - unit : L;
        for (long i = 0; i < k.size(); i += L) {
            Vec<T> square[L];
            for (long n = 0; n < L; n++) square[n] = i + n < k.size() ? load<T>(from + (k.from + i + n) * G) : Vec<T>{};
            transpose<T>(square);
            for (long n = 0; n < units; n++) store<T>(to + n * step + i, square[n]);
        }
    }
}

// The product of the way back in columns: weights are turned around panel by panel.
template <class P, class T = typename P::T>
void multiply_turned(const Layer<T>& layer, Range<T> k, long rows, Product<T> p, T* panel) {
    constexpr long L = lanes<T>;
    static_assert((sum_block<T> + L) * tile_vectors * L <= scratch_panel);
    const long total = P::vectors(k.size()), blocks = (layer.width + sum_block<T> - 1) / sum_block<T>;
    for (long v = 0, vectors; v < total && rows; v += vectors) {
        vectors = next_vectors(total - v, rows);
        const long first = k.from + v * L, last = first + vectors * L;
        const Range<T> columns{first, last < k.to ? last : k.to};
        Product<T> part = p;
        part.b_step = vectors * L;
        part.start += v * L;
        part.c += v * L;
        part.gate += p.gate ? v * L : 0;
        for (long block = 0, done = 0; block < blocks; block++) {
            const long next = block + 1 < blocks ? layer.width * (block + 1) / blocks / L * L : layer.width;
            turn<T>(layer, {done, next}, columns, panel, part.b_step);
            part.finish = next == layer.width ? p.finish : Finish::as_is;
            multiply_vectors<P>(Heights(rows, int(vectors)), int(vectors), next - done, p.a + done * p.a_step, panel, part.start, part.c, part);
            part.start = part.c;
            part.start_row = part.c_row;
            done = next;
        }
    }
}

// What a layer adds to the derivative by the outputs of one that it takes.
template <class P, class T = typename P::T>
INLINE void back_to(const Net<T>& net, const Layer<T>& layer, const Source& source, long from, long to, [[maybe_unused]] T* panel) {
    constexpr long G = P::group;
    const Layer<T>& below = net.layers[source.layer];
    T* const sums = below.incoming + from * below.unit_stride;
    Product<T> p{layer.delta + from * layer.width_stride, layer.width_stride, P::members, nullptr, 0, G,
        source.begins ? net.zeros : sums, source.begins ? 0 : below.unit_stride, G, sums, below.unit_stride, G, P::networks};
    if (below.unit == Unit::relu && source.ends) {
        p.finish = Finish::gated;
        p.gate = below.out + from * below.unit_stride;
        p.keep = below.drops ? net.keep.at : nullptr;
    }
    if constexpr (P::networks) {  // a unit's weights lie side by side
        p.b = layer.value.W + source.start * G;
        p.b_step = layer.groups;
        multiply_in_blocks<P>(to - from, P::vectors(source.size), layer.width, p);
    } else {
        multiply_turned<P>(layer, {source.start, source.start + source.size}, to - from, p, panel);
    }
}

template <class P, class T = typename P::T>
void back(const Net<T>& net, long from, long to, T* panel) {
    for (long l = net.n_layers - 1; l >= 0; l--) {
        const Layer<T>& layer = net.layers[l];
        unit_back<P>(net, l, from, to);
        for (long s = 0; s < layer.n_sources; s++)
            if (layer.sources[s].layer >= 0) back_to<P>(net, layer, layer.sources[s], from, to, panel);
    }
}

}  // namespace
}  // namespace kilonet
