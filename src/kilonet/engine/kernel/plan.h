// What a kernel works on: plain data with one layout for every instruction set.
//
// Nothing here knows a vector. The translation units of the instruction sets (variant_*.cpp) see
// only these structures and raw pointers, so that no inline function of the standard library is
// compiled for a processor that the machine may not have.
#pragma once
#include <cstddef>
#include <cstdint>

namespace kilonet {

enum class Unit : int { identity, sigmoid, tanh, relu, leaky_relu, prelu, elu, selu, gelu, silu, mish, softplus, maxout, mixed };
enum class Loss : int { cross_entropy, logistic, hinge_signs, hinge_classes, squared_hinge_signs, squared_hinge_classes, squared, absolute, huber, quantile };
enum class Rule : int { sgd, momentum, nesterov, rmsprop, adagrad, adam, adamw, none };  // none: leave the gradient where it is
enum class Metric : int { none, loss, score };

// Lanes that differ cost a choice for every number; in the usual cases there is none.
enum class Cases { plain, all_l2, mixed };  // plain: nobody is penalized; all_l2: L2 alone, everywhere; both: all move

// What a vector holds: columns of one network, or the same column of several (see packing.h).
enum class Packing : int { columns, networks };

// Columns of one network come in groups of one cache line: W is [group of columns][fan_in][columns of the group].
template <class T>
inline constexpr long group = 64 / long(sizeof(T));

inline constexpr long most_lanes = 16;  // of any instruction set, and so the most members of a pack

// One value for every lane. Lane i belongs to member i % members, so that one load serves both packings.
template <class T>
struct alignas(64) Lanes {
    T at[most_lanes] = {};
};

// Rows of a batch in one block of a weight gradient. A batch with more of them keeps its gradient
// in memory of its own between the blocks.
inline constexpr long row_block = 512;

// Units from which a layer lays its inputs across for the gradient (passes.h).
inline constexpr long wide = 512;

// Inputs whose gradients are worked out before their weights are updated: a multiple of most tiles' heights.
inline constexpr long update_rows = 48;

// Entries of a thread's scratch memory: gradients on their way to an update; deltas of one tile's columns, or
// weights that were turned around for the way back.
inline constexpr long scratch_tile = update_rows * 4 * 16, scratch_panel = row_block * 4 * 16;

inline constexpr long most_items = 8;  // vectors of examples that are judged together

// Fewer where there are many outputs: each of them needs scratch memory.
constexpr long items_together(long outputs) { return outputs > 64 ? 1 : most_items; }

// Rows that the outputs of hidden units are watched on, and of a block that is searched for rare ones.
inline constexpr long sample_rows = 128;

constexpr long round_up(long n, long to) { return (n + to - 1) / to * to; }

// Row stride of a row-major buffer of n columns: whole cache lines, never a multiple of 512 bytes,
// because rows at such a distance would compete for the same few sets of the first cache.
template <class T>
constexpr long row_stride(long n) {
    const long stride = round_up(n, group<T>);
    return stride * long(sizeof(T)) % 512 == 0 ? stride + group<T> : stride;
}

template <class T>
struct Tensors {          // one value for every parameter of a layer; places that share it have the same
    T* W = nullptr;       // [round_up(width) / group][fan_in][group]
    T* b = nullptr;       // [round_up(width)]
    T* alpha = nullptr;   // [round_up(units)], PReLU only
};

// Units [from, to) of a layer with one activation; only of mixed layers there are several.
template <class T>
struct Part { Unit unit; T constant; long from, to; };  // constant: of leaky_relu and elu; first value of prelu

// What a layer takes: its inputs [start, start + size) are the outputs of a layer before it, or the inputs of the network.
struct Source {
    long layer, start, size;                // layer -1: the inputs of the network
    bool begins = false, ends = false;      // whether it is the first, the last on the way back that adds to those outputs' derivatives
};

// A place of the graph, where a layer is applied. Places come after all that they take.
template <class T>
struct Layer {
    long fan_in = 0, units = 0, pieces = 1;
    long width = 0;                  // rows of W: pieces * units
    Unit unit = Unit::identity;      // mixed: see parts
    const Part<T>* parts = nullptr; long n_parts = 0;
    const Source* sources = nullptr; long n_sources = 0;
    bool own = true;                 // whether it is the first place with its parameters
    long again = -1;                 // the next place with the same parameters, or -1
    bool drops = false;              // whether any member has dropout on this layer's outputs
    long groups = 0;                 // entries from one group of columns of W to the next
    Tensors<T> value, first, second, gradient;
    long width_stride = 0, unit_stride = 0;
    // buffers of one batch, row by row
    T* before = nullptr;             // scores of the units, before the activation (width_stride); may be `out`
    T* out = nullptr;                // after activation and dropout (unit_stride)
    T* slope = nullptr;              // local slope times dropout factor (unit_stride), or null where `out` tells it
    T* negative = nullptr;           // PReLU: min(z, 0) times dropout factor
    T* incoming = nullptr;           // derivative of the loss by `out` (unit_stride); `delta` but for PReLU and maxout
    T* delta = nullptr;              // derivative of the loss by `before` (width_stride)
};

// Examples of one member, where members have some of their own.
template <class T>
struct Table { const T* dense = nullptr; const std::int32_t* classes = nullptr; const T* numbers = nullptr; };

template <class T>
struct Data {
    long rows = 0;
    const T* dense = nullptr;                                                                   // (rows, n_inputs), or
    const std::int64_t* starts = nullptr; const std::int32_t* columns = nullptr; const T* entries = nullptr;  // CSR
    const std::int32_t* classes = nullptr;  // (rows,), or
    const T* numbers = nullptr;             // (rows, n_outputs)
    bool own = false;                       // whether each member has a table instead, all with so many rows
    Table<T> tables[most_lanes] = {};
    bool weighted = false;
    const double* weights[most_lanes] = {}; // (rows,) of each member
    const T* error_scale = nullptr;         // (n_outputs, most_lanes) 1 / sqrt(n_outputs * SST) for R2
    double score_base[most_lanes] = {};     // R2 = score_base - sum of scaled squared errors, + 1 / n_outputs for every
    std::uint8_t* missed = nullptr;         // constant output that no row missed; (n_outputs, members) or null without constant ones
};

template <class T>
struct Net {
    long n_layers = 0, n_inputs = 0, n_outputs = 0;
    long members = 1;             // networks in a vector; 1 with columns in it
    long capacity = 0;            // rows of the buffers
    Layer<T>* layers = nullptr;
    T* input = nullptr;           // (capacity, input_stride) gathered rows, the same for all members
    long input_stride = 0;
    T* own_input = nullptr;       // (capacity, own_stride) rows or noise of each member's own; null where they share `input`
    long own_stride = 0;
    T* zeros = nullptr;           // at least one row of the widest layer
    T* parameters = nullptr;      // every `value` lies in this one block
    long n_packed = 0;            // entries of that block, padding included
    T* across = nullptr;          // inputs of a wide layer, a row of across_stride for each; every thread has its part
    long across_stride = 0;
    T* scratch = nullptr;         // scratch_size entries for each thread
    long scratch_size = 0;
    Lanes<T> keep;                // dropout: what kept ones are multiplied with, and
    Lanes<std::uint32_t> threshold;  // the threshold of 65,536; 0 is none
};

struct Barrier {
    int threads = 1;
    alignas(64) int waiting = 0;
    alignas(64) int round = 0;
};

struct Sums {                     // inside an epoch, float64 in row order, for each member
    double loss[most_lanes] = {}, weight[most_lanes] = {}, score[most_lanes] = {};
};

// Columns that the widest place of a network has, with room for a vector beyond.
template <class T>
inline __attribute__((always_inline)) long widest(const Net<T>& net) {
    long n = net.n_inputs;
    for (long l = 0; l < net.n_layers; l++) {
        const long across = net.layers[l].width > net.layers[l].fan_in ? net.layers[l].width : net.layers[l].fan_in;
        n = across > n ? across : n;
    }
    return round_up(n * net.members, most_lanes) + most_lanes;
}

// What each network of a session has of its own.
struct Member {
    double rate = 0, l2 = 0, l1 = 0, noise = 0, max_norm = 0, loss_constant = 0;  // max_norm 0: none
    std::uint32_t threshold = 0;
    std::uint64_t seed = 0;
    Metric monitor = Metric::none; double min_delta = 0; long patience = 0;
    // the state
    double best_value = 0;
    long best_epoch = 0, wait = 0, stopped = 0, diverged = 0;  // the last two: epoch number, counted from 1; 0: no
    std::int64_t ended_step = -1; long ended_epoch = -1;       // where it stopped or diverged
    bool ended() const { return stopped || diverged; }
};

template <class T>
struct Session {
    Net<T> net;
    Data<T> train, valid;
    Loss loss = Loss::squared;
    // the recipe
    Rule rule = Rule::sgd;
    double beta1 = 0, beta2 = 0, epsilon = 0, decay = 0;
    const double* factors = nullptr; long n_factors = 0;       // of the rate, one a step from step `factors_from`; the last one stays
    std::int64_t factors_from = 0;
    long batch = 1, epochs = 1, steps_per_epoch = 1;
    std::uint64_t order = 0;
    bool shuffled = true;
    Member members[most_lanes];                                // further ones than there are repeat the first
    long n_members = 1;
    Lanes<T> l2, l1, loss_constant, noise, max_norm;
    Lanes<std::uint32_t> seed_low, seed_high;
    bool noisy = false, limited = false;                       // any member
    Cases cases = Cases::plain;                                // of penalties, while all members move
    // the state
    std::int64_t step = 0; long epoch = 0, position = 0;       // position: batches done in this epoch
    double beta1_power = 1, beta2_power = 1;                   // running products up to `step`
    Sums sums;
    double* history = nullptr;                                 // (until_epoch, n_members, 4)
    T* snapshot = nullptr;                                     // parameters at the end of the last epoch
    T* best = nullptr;
    long live = 1;                                             // members that have not ended
    // what is watched (insides.h)
    long watch_every = 0, numbers = 0;                         // epochs apart, 0 for never; numbers of a member and epoch
    bool keeps_gradient = false;                               // whether there is memory for it
    float* monitors = nullptr;                                 // (until_epoch, n_members, numbers)
    std::uint8_t* blocks = nullptr;                            // of sample_rows rows: whether a rare unit was found there
    // the work
    std::int32_t* rows = nullptr; long rows_epoch = -1;        // order of the epoch, and which epoch's it is
    T* row_share = nullptr;                                    // of a batch, (rows, members): what slopes are multiplied with,
    T* row_loss = nullptr; T* row_score = nullptr;             // losses and scores
    T* valid_loss = nullptr; T* valid_score = nullptr;         // of the validation set, (rows, members)
    double* squares = nullptr; long columns = 0;               // (3, columns of all layers): gradient, change, weights
    T* fired = nullptr; long fired_size = 0;                   // (threads, hidden units of the members): 1 where one has
    T* fired_before = nullptr;                                 // what all knew before the last block
    long looking_at = -1;                                      // the last layer with a unit that has not fired, or -1
    Barrier barrier;
    long until_epoch = 0, check_every = 1; double deadline = 0; bool pause = false;
};

// One instruction set in one packing: what it can do, as plain functions. Thread t of `barrier.threads` calls each.
template <class T>
struct Packed {
    void (*train)(Session<T>&, int thread);
    void (*gradient)(Session<T>&, int thread);                                     // of all rows as one batch
    void (*predict)(const Net<T>&, const Data<T>&, long layer, T* out, int thread, int threads);  // out (rows, units of the layer, members)
};

template <class T>
struct Kernel {
    long lanes;
    Packed<T> packed[2];                                                           // by Packing
    void (*functions)(int which, const T* in, T* out, long n);                     // exp, log, tanh ... for their tests
};

struct Variant {
    const char* name;
    Kernel<float> single;
    Kernel<double> twice;
};

}  // namespace kilonet
