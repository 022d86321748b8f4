// Training: steps, epochs, validation and early stopping of one network, whole epochs in one call.
#pragma once
#include <sched.h>
#include <time.h>

#include "passes.h"

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

inline double now() {
    timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return double(t.tv_sec) + 1e-9 * double(t.tv_nsec);
}

// Rows of one batch: places, and what each example's slope is multiplied with.
template <class T>
struct Batch {
    const std::int32_t* rows;
    long size;
    double weight;
    INLINE double weight_of(const Data<T>& data, long i) const { return data.weights ? data.weights[rows[i]] : 1.; }
};

template <class T>
Batch<T> batch_at(const Session<T>& s, long position) {
    const long from = position * s.batch, to = from + s.batch < s.train.rows ? from + s.batch : s.train.rows;
    Batch<T> b{s.rows + from, to - from, double(to - from)};
    if (!s.train.weights) return b;
    b.weight = 0;
    for (long i = 0; i < b.size; i++) b.weight += b.weight_of(s.train, i);
    return b;
}

template <class T>
void add_up(Sums& sums, const Data<T>& data, const std::int32_t* rows, long n, const T* loss, const T* score) {
    for (long i = 0; i < n; i++) {
        const double w = data.weights ? data.weights[rows ? rows[i] : i] : 1.;
        sums.loss += w * double(loss[i]);
        sums.score += w * double(score[i]);
        sums.weight += w;
    }
}

// Accuracy or R2; the constant outputs' marks are wiped for the next time.
template <class T>
double score_from(const Data<T>& data, const Sums& sums, long outputs) {
    if (!data.error_scale) return sums.score / sums.weight;
    double score = data.score_base - sums.score;
    for (long j = 0; data.missed && j < outputs; j++) {
        if (data.error_scale[j] == 0 && !data.missed[j]) score += 1. / double(outputs);
        data.missed[j] = 0;
    }
    return score;
}

// Gather, forward, loss and back for this thread's rows of the batch.
template <class T>
void visit_rows(Session<T>& s, const Batch<T>& batch, const Scratch<T>& scratch, int thread) {
    const Net<T>& net = s.net;
    const Range<T> rows = share<T>(batch.size, thread, s.barrier.threads);
    const std::uint32_t step = std::uint32_t(s.step);
    for (long i = rows.from; i < rows.to; i++) gather_row<T>(net, s.train, batch.rows[i], net.input + i * net.input_stride);
    if (s.noise != 0) add_noise<T>(net.input, net.input_stride, net.n_inputs, rows.from, rows.to, s.noise, step, s.seed, scratch.words);
    const Dropout<T> dropout{step, s.seed, scratch.words, scratch.factors};
    forward<T>(net, net.input + rows.from * net.input_stride, net.input_stride, rows.from, rows.to, net.n_layers - 1, true, &dropout);
    T* shares = s.row_score + s.batch;  // behind the scores
    for (long i = rows.from; i < rows.to; i++) shares[i] = T(batch.weight_of(s.train, i) / batch.weight);
    judge<T>(net, s.loss, s.loss_constant, s.train, rows.from, rows.to, [&](long r) { return long(batch.rows[r]); }, shares, s.row_loss, s.row_score, scratch.judge);
    back<T>(net, rows.from, rows.to);
}

template <class T>
void limit_all(Session<T>& s, int thread) {
    meet(s.barrier);
    for (long l = 0; l < s.net.n_layers; l++) {
        const Layer<T>& layer = s.net.layers[l];
        const Range<T> groups = share<T>(round_up(layer.width, group<T>) / group<T>, thread, s.barrier.threads);
        limit_norms<T>(layer, s.max_norm, groups.from, groups.to);
    }
}

template <class T>
void step(Session<T>& s, int thread) {
    const Batch<T> batch = batch_at(s, s.position);
    const StepConstants<T> constants = step_constants(s);
    const Scratch<T> scratch(s.net, thread, s.barrier.threads);
    const bool counts = batch.weight > 0;
    if (counts) visit_rows(s, batch, scratch, thread);
    meet(s.barrier);
    if (counts) learn<T>(s.net, batch.size, s.rule, constants, scratch, thread, s.barrier.threads);
    if (counts && s.max_norm != 0) limit_all(s, thread);
    if (thread == 0) {
        if (counts) add_up(s.sums, s.train, batch.rows, batch.size, s.row_loss, s.row_score);
        s.beta1_power = constants.beta1_power;
        s.beta2_power = constants.beta2_power;
        s.step++;
        s.position++;
        s.pause = s.step % s.check_every == 0 && now() > s.deadline;
    }
    meet(s.barrier);
}

// Loss and score of the validation set, dropout and noise off; thread 0 adds up.
template <class T>
void validate(Session<T>& s, int thread) {
    const Net<T>& net = s.net;
    const Scratch<T> scratch(net, thread, s.barrier.threads);
    const Range<T> examples = share<T>(s.valid.rows, thread, s.barrier.threads), buffer = share<T>(net.capacity, thread, s.barrier.threads);
    for (long first = examples.from; first < examples.to; first += buffer.size()) {
        const long n = examples.to - first < buffer.size() ? examples.to - first : buffer.size();
        const T* in = s.valid.dense + first * net.n_inputs;
        long stride = net.n_inputs;
        if (!s.valid.dense) {
            in = net.input + buffer.from * net.input_stride;
            stride = net.input_stride;
            for (long i = 0; i < n; i++) gather_row<T>(net, s.valid, first + i, net.input + (buffer.from + i) * stride);
        }
        forward<T>(net, in, stride, buffer.from, buffer.from + n, net.n_layers - 1, false, nullptr);
        const long shift = first - buffer.from;
        judge<T>(net, s.loss, s.loss_constant, s.valid, buffer.from, buffer.from + n, [=](long r) { return r + shift; }, nullptr,
            s.valid_loss + shift, s.valid_score + shift, scratch.judge);
    }
}

template <class T>
bool finite(const T* p, long n) {
    for (long i = 0; i < n; i++)
        if (!(p[i] - p[i] == 0)) return false;
    return true;
}

template <class T>
void restore(Session<T>& s, const T* from) {
    __builtin_memcpy(s.net.parameters, from, s.net.n_packed * sizeof(T));
    for (long l = 1; l < s.net.n_layers; l++) refresh_back<T>(s.net.layers[l], 0, s.net.layers[l].fan_in, 0, s.net.layers[l].width);
}

// Early stopping: keep the best parameters, count the epochs that did not better them.
template <class T>
void watch(Session<T>& s, double value) {
    const bool better = s.monitor == Metric::loss ? value < s.best_value - s.min_delta : value > s.best_value + s.min_delta;
    if (better) {
        s.best_value = value;
        s.best_epoch = s.epoch;
        s.wait = 0;
        __builtin_memcpy(s.best, s.net.parameters, s.net.n_packed * sizeof(T));
    } else if (++s.wait >= s.patience) {
        s.stopped = s.epoch;
    }
}

template <class T>
void end_epoch(Session<T>& s) {
    double* row = s.history + 4 * s.epoch;
    s.epoch++;
    s.position = 0;
    const double loss = s.sums.loss / s.sums.weight, score = score_from(s.train, s.sums, s.net.n_outputs);
    s.sums = Sums{};
    if (!finite(&loss, 1) || !finite(s.net.parameters, s.net.n_packed)) {
        s.diverged = s.epoch;
        restore(s, s.snapshot);
        return;
    }
    row[0] = loss;
    row[1] = score;
    if (s.valid.rows) {
        Sums sums;
        add_up<T>(sums, s.valid, nullptr, s.valid.rows, s.valid_loss, s.valid_score);
        row[2] = sums.loss / sums.weight;
        row[3] = score_from(s.valid, sums, s.net.n_outputs);
        if (s.monitor != Metric::none) watch(s, row[s.monitor == Metric::loss ? 2 : 3]);
    }
    __builtin_memcpy(s.snapshot, s.net.parameters, s.net.n_packed * sizeof(T));
}

// The order of this epoch, unless an earlier call has begun the epoch with it.
template <class T>
void order_rows(Session<T>& s) {
    if (s.rows_epoch == s.epoch) return;
    if (s.shuffled) shuffle(s.rows, s.train.rows, s.order, std::uint32_t(s.epoch));
    else for (long i = 0; i < s.train.rows; i++) s.rows[i] = std::int32_t(i);
    s.rows_epoch = s.epoch;
}

template <class T>
void train(Session<T>& s, int thread) {
    const FloatMode mode;
    while (s.epoch < s.until_epoch && !s.stopped && !s.diverged) {
        if (thread == 0) order_rows(s);
        meet(s.barrier);
        while (s.position < s.steps_per_epoch && !s.pause) step(s, thread);
        if (s.pause && s.position < s.steps_per_epoch) return;
        if (s.valid.rows) validate(s, thread);
        meet(s.barrier);  // everybody has seen how far the epoch is before it ends
        if (thread == 0) end_epoch(s);
        meet(s.barrier);
        if (s.pause) return;
    }
}

template <class T>
void gradient(Session<T>& s, int thread) {
    const FloatMode mode;
    if (thread == 0) order_rows(s);
    meet(s.barrier);
    step(s, thread);
}

template <class T>
void predict(const Net<T>& net, const Data<T>& data, long last, T* out, int thread, int threads) {
    const FloatMode mode;
    const Layer<T>& layer = net.layers[last];
    const Range<T> examples = share<T>(data.rows, thread, threads), buffer = share<T>(net.capacity, thread, threads);
    for (long first = examples.from; first < examples.to; first += buffer.size()) {
        const long n = examples.to - first < buffer.size() ? examples.to - first : buffer.size();
        const T* in = data.dense + first * net.n_inputs;
        long stride = net.n_inputs;
        if (!data.dense) {
            in = net.input + buffer.from * net.input_stride;
            stride = net.input_stride;
            for (long i = 0; i < n; i++) gather_row<T>(net, data, first + i, net.input + (buffer.from + i) * stride);
        }
        forward<T>(net, in, stride, buffer.from, buffer.from + n, last, false, nullptr);
        for (long i = 0; i < n; i++)
            __builtin_memcpy(out + (first + i) * layer.units, layer.out + (buffer.from + i) * layer.unit_stride, layer.units * sizeof(T));
    }
}

// The functions by themselves, for the tests of their accuracy.
template <class T>
void functions(int which, const T* in, T* out, long n) {
    const FloatMode mode;
    for (long i = 0; i < n; i += lanes<T>) {
        T x[lanes<T>] = {};
        const long filled = n - i < lanes<T> ? n - i : lanes<T>;
        __builtin_memcpy(x, in + i, filled * sizeof(T));
        Vec<T> v = load<T>(x), sine, cosine;
        switch (which) {
            case 0: v = exp<T>(v); break;
            case 1: v = log<T>(v); break;
            case 2: v = tanh<T>(v); break;
            case 3: v = erf<T>(v); break;
            case 4: v = log1p<T>(v); break;
            case 5: sine_cosine<T>(v, sine, cosine); v = sine; break;
            case 6: sine_cosine<T>(v, sine, cosine); v = cosine; break;
            case 7: v = expm1_negative<T>(v); break;
        }
        store<T>(x, v);
        __builtin_memcpy(out + i, x, filled * sizeof(T));
    }
}

template <class T>
constexpr Kernel<T> kernel() { return {train<T>, gradient<T>, predict<T>, functions<T>}; }

}  // namespace
}  // namespace kilonet
