// What a kernel works on: plain data with one layout for every instruction set.
//
// Nothing here knows a vector. The translation units of the instruction sets (variant_*.cpp) see
// only these structures and raw pointers, so that no inline function of the standard library is
// compiled for a processor that the machine may not have.
#pragma once
#include <cstddef>
#include <cstdint>

namespace kilonet {

enum class Unit : int { identity, sigmoid, tanh, relu, leaky_relu, prelu, elu, selu, gelu, silu, mish, softplus, maxout };
enum class Loss : int { cross_entropy, logistic, hinge_signs, hinge_classes, squared_hinge_signs, squared_hinge_classes, squared, absolute, huber, quantile };
enum class Rule : int { sgd, momentum, nesterov, rmsprop, adagrad, adam, adamw, none };  // none: leave the gradient where it is
enum class Metric : int { none, loss, score };

// Columns come in groups of one cache line: W is [group of columns][fan_in][columns of the group].
template <class T>
inline constexpr long group = 64 / long(sizeof(T));

// Rows of a batch in one block of a weight gradient. A batch with more of them keeps its gradient
// in memory of its own between the blocks.
inline constexpr long row_block = 512;

// Units from which a layer lays its inputs across for the gradient (passes.h).
inline constexpr long wide = 512;

// Entries of a thread's scratch memory: gradients of one tile, deltas of one tile's columns.
inline constexpr long scratch_tile = 16 * 4 * 16, scratch_panel = row_block * 4 * 16;

constexpr long round_up(long n, long to) { return (n + to - 1) / to * to; }

// Row stride of a row-major buffer of n columns: whole cache lines, never a multiple of 512 bytes,
// because rows at such a distance would compete for the same few sets of the first cache.
template <class T>
constexpr long row_stride(long n) {
    const long stride = round_up(n, group<T>);
    return stride * long(sizeof(T)) % 512 == 0 ? stride + group<T> : stride;
}

template <class T>
struct Tensors {          // one value for every parameter of a layer
    T* W = nullptr;       // [round_up(width) / group][fan_in][group]
    T* b = nullptr;       // [round_up(width)]
    T* alpha = nullptr;   // [round_up(units)], PReLU only
};

template <class T>
struct Layer {
    long fan_in = 0, units = 0, pieces = 1;
    long width = 0;                  // rows of W: pieces * units
    Unit unit = Unit::identity;
    T constant = 0;                  // of leaky_relu and elu; first value of prelu
    std::uint32_t threshold = 0;     // of dropout, of 65,536; 0 is none
    T keep = 1;                      // what dropout multiplies the kept ones with
    Tensors<T> value, first, second, gradient;
    T* back = nullptr;               // W for the way back: [fan_in group][width][group]; null in the first layer
    long width_stride = 0, unit_stride = 0;
    // buffers of one batch, row by row
    T* before = nullptr;             // scores of the units, before the activation (width_stride); may be `out`
    T* out = nullptr;                // after activation and dropout (unit_stride)
    T* slope = nullptr;              // local slope times dropout factor (unit_stride), or null where `out` tells it
    T* negative = nullptr;           // PReLU: min(z, 0) times dropout factor
    T* incoming = nullptr;           // derivative of the loss by `out` (unit_stride); `delta` but for PReLU and maxout
    T* delta = nullptr;              // derivative of the loss by `before` (width_stride)
};

template <class T>
struct Data {
    long rows = 0;
    const T* dense = nullptr;                                                                   // (rows, n_inputs), or
    const std::int64_t* starts = nullptr; const std::int32_t* columns = nullptr; const T* entries = nullptr;  // CSR
    const std::int32_t* classes = nullptr;  // (rows,), or
    const T* numbers = nullptr;             // (rows, n_outputs)
    const double* weights = nullptr;        // (rows,) or null
    const T* error_scale = nullptr;         // (n_outputs,) 1 / sqrt(n_outputs * SST) for R2
    double score_base = 0;                  // R2 = score_base - sum of scaled squared errors, + 1 / n_outputs for every
    std::uint8_t* missed = nullptr;         // constant output that no row missed; (n_outputs,) or null without constant ones
};

template <class T>
struct Net {
    long n_layers = 0, n_inputs = 0, n_outputs = 0, capacity = 0;  // capacity: rows of the buffers
    Layer<T>* layers = nullptr;
    T* input = nullptr;           // (capacity, input_stride) gathered rows
    long input_stride = 0;
    const T* zeros = nullptr;     // at least one row of the widest layer
    T* parameters = nullptr;      // every `value` lies in this one block
    long n_packed = 0;            // entries of that block, padding included
    T* across = nullptr;          // inputs of a wide layer, a row of across_stride for each; every thread has its part
    long across_stride = 0;
    T* scratch = nullptr;         // scratch_size entries for each thread
    long scratch_size = 0;
};

struct Barrier {
    int threads = 1;
    alignas(64) int waiting = 0;
    alignas(64) int round = 0;
};

struct Sums {                     // inside an epoch, float64 in row order
    double loss = 0, weight = 0, score = 0;
};

template <class T>
struct Session {
    Net<T> net;
    Data<T> train, valid;
    Loss loss = Loss::squared;
    T loss_constant = 0;
    // the recipe
    Rule rule = Rule::sgd;
    double l2 = 0, l1 = 0, noise = 0, max_norm = 0;            // max_norm 0: none
    double beta1 = 0, beta2 = 0, epsilon = 0, decay = 0;
    const double* rates = nullptr; long n_rates = 0;           // one a step from step `rates_from`; the last one stays
    std::int64_t rates_from = 0;
    long batch = 1, epochs = 1, steps_per_epoch = 1;
    std::uint64_t seed = 0, order = 0;
    bool shuffled = true;
    Metric monitor = Metric::none; double min_delta = 0; long patience = 0;
    // the state
    std::int64_t step = 0; long epoch = 0, position = 0;       // position: batches done in this epoch
    double beta1_power = 1, beta2_power = 1;                   // running products up to `step`
    Sums sums;
    double* history = nullptr;                                 // (until_epoch, 4)
    T* snapshot = nullptr;                                     // parameters at the end of the last epoch
    T* best = nullptr; double best_value = 0; long best_epoch = 0, wait = 0;
    long stopped = 0, diverged = 0;                            // epoch number, counted from 1; 0: no
    // the work
    std::int32_t* rows = nullptr; long rows_epoch = -1;        // order of the epoch, and which epoch's it is
    T* row_loss = nullptr; T* row_score = nullptr;             // of a batch
    T* valid_loss = nullptr; T* valid_score = nullptr;         // of the validation set
    Barrier barrier;
    long until_epoch = 0, check_every = 1; double deadline = 0; bool pause = false;
};

// One instruction set: what it can do, as plain functions. Thread t of `barrier.threads` calls each.
template <class T>
struct Kernel {
    void (*train)(Session<T>&, int thread);
    void (*gradient)(Session<T>&, int thread);                                     // of all rows as one batch
    void (*predict)(const Net<T>&, const Data<T>&, long layer, T* out, int thread, int threads);  // out (rows, units of the layer)
    void (*functions)(int which, const T* in, T* out, long n);                     // exp, log, tanh ... for their tests
};

struct Variant {
    const char* name;
    Kernel<float> single;
    Kernel<double> twice;
};

}  // namespace kilonet
