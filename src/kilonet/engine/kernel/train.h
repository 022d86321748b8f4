// Training: steps, epochs, validation and early stopping of one network or of a pack, whole epochs in one call.
#pragma once
#include <time.h>

#include "insides.h"

namespace kilonet {
namespace {

inline double now() {
    timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return double(t.tv_sec) + 1e-9 * double(t.tv_nsec);
}

// Rows of one batch: places, and the sum of each member's weights.
template <class P>
struct Batch {
    const std::int32_t* rows;
    long size;
    double weight[P::members];
    bool counts(long m) const { return weight[m] > 0; }
};

template <class P, class T = typename P::T>
Batch<P> batch_at(const Session<T>& s, long position) {
    const long from = position * s.batch, to = from + s.batch < s.train.rows ? from + s.batch : s.train.rows;
    Batch<P> b{s.rows + from, to - from, {}};
    for (long m = 0; m < P::members; m++) b.weight[m] = s.train.weighted ? 0 : double(b.size);
    for (long i = 0; s.train.weighted && i < b.size; i++)
        for (long m = 0; m < P::members; m++) b.weight[m] += s.train.weights[m][b.rows[i]];
    return b;
}

// What the slopes of this thread's rows are multiplied with; nothing where a batch has no weight.
template <class P, class T = typename P::T>
void share_rows(const Session<T>& s, const Batch<P>& batch, Range<T> rows) {
    constexpr long M = P::members;
    if (!s.train.weighted) {
        const T share = T(1. / double(batch.size));
        for (long i = rows.from * M; i < rows.to * M; i++) s.row_share[i] = share;
        return;
    }
    for (long i = rows.from; i < rows.to; i++)
        for (long m = 0; m < M; m++)
            s.row_share[i * M + m] = batch.counts(m) ? T(s.train.weights[m][batch.rows[i]] / batch.weight[m]) : T(0);
}

// Losses and scores (rows, members) times weights onto the sums of the members that count.
template <class P, class Row, class Counts, class T = typename P::T>
void add_up(Sums& sums, const Data<T>& data, long n, Row row, Counts counts, const T* loss, const T* score) {
    constexpr long M = P::members;
    if (!data.weighted) {
        for (long i = 0; i < n; i++)
            for (long m = 0; m < M; m++) {
                sums.loss[m] += double(loss[i * M + m]);
                sums.score[m] += double(score[i * M + m]);
            }
        for (long m = 0; m < M; m++) sums.weight[m] += double(n);
        return;
    }
    for (long m = 0; m < M; m++)
        for (long i = 0; counts(m) && i < n; i++) {
            const double w = data.weights[m][row(i)];
            sums.loss[m] += w * double(loss[i * M + m]);
            sums.score[m] += w * double(score[i * M + m]);
            sums.weight[m] += w;
        }
}

// Accuracy or R2 of a member; the constant outputs' marks are wiped for the next time.
template <class P, class T = typename P::T>
double score_from(const Data<T>& data, const Sums& sums, long m, long outputs) {
    if (!data.error_scale) return sums.score[m] / sums.weight[m];
    double score = data.score_base[m] - sums.score[m];
    for (long j = 0; data.missed && j < outputs; j++) {
        std::uint8_t& missed = data.missed[j * P::members + m];
        if (data.error_scale[j * most_lanes + m] == 0 && !missed) score += 1. / double(outputs);
        missed = 0;
    }
    return score;
}

// Gather, forward, loss and back for this thread's rows of the batch.
template <class P, class T = typename P::T>
void visit_rows(Session<T>& s, const Batch<P>& batch, const Scratch<T>& scratch, int thread) {
    const Net<T>& net = s.net;
    const Range<T> rows = share<T>(batch.size, thread, s.barrier.threads);
    const Dropout dropout{std::uint32_t(s.step), {load_words(s.seed_low.at), load_words(s.seed_high.at)}, scratch.words};
    gather<P>(net, s.train, rows.from, rows.to, [&](long i) { return long(batch.rows[i]); });
    if (P::networks && net.own_input && !s.train.own) spread_input<P>(net, rows.from, rows.to);
    const Inputs<T> in = outputs_of<P>(net, -1);
    if (s.noisy) {
        T* const noisy = P::networks ? net.own_input : net.input;
        add_noise<P>(noisy, in.stride, net.n_inputs, rows.from, rows.to, load<T>(s.noise.at), dropout.step, dropout.key, scratch.words);
    }
    forward<P>(net, in.from(rows.from), rows.from, rows.to, net.n_layers - 1, &dropout);
    share_rows<P>(s, batch, rows);
    judge<P>(net, Judging<T>{s.loss, s.train, load<T>(s.loss_constant.at), s.row_share, s.row_loss, s.row_score, scratch.judge},
        rows.from, rows.to, [&](long r) { return long(batch.rows[r]); });
    back<P>(net, rows.from, rows.to, scratch.panel);
}

template <class P, class T = typename P::T>
void limit_all(Session<T>& s, const Batch<P>& batch, int thread) {
    meet(s.barrier);
    const auto most = [&](long m) { return batch.counts(m) && !s.members[m].ended() ? s.members[m].max_norm : 0.; };
    for (long l = 0; l < s.net.n_layers; l++) {
        const Layer<T>& layer = s.net.layers[l];
        if (!layer.own) continue;
        const Range<T> groups = share<T>(round_up(layer.width * P::members, P::group) / P::group, thread, s.barrier.threads);
        limit_norms<P>(layer, most, groups.from, groups.to);
    }
}

template <class P, class T = typename P::T>
void step(Session<T>& s, int thread) {
    const Batch<P> batch = batch_at<P>(s, s.position);
    const Scratch<T> scratch(s.net, thread, s.barrier.threads);
    StepConstants<T> constants = step_constants<P>(s);
    const auto moves = [&](long m) { return batch.counts(m) && !s.members[m].ended(); };
    bool any = false, all_move = true;
    for (long m = 0; m < P::members; m++) {
        any |= moves(m);
        all_move &= moves(m);
    }
    constants.moves = lanes_where<P>(moves);
    constants.cases = all_move ? s.cases : Cases::mixed;
    const bool opens = s.position == 0 && watched(s);
    constants.keeps = opens && s.keeps_gradient;
    constants.descends = s.rule == Rule::sgd && constants.cases != Cases::mixed;
    if (any) visit_rows<P>(s, batch, scratch, thread);
    meet(s.barrier);
    if (any) learn<P>(s.net, batch.size, s.rule, constants, scratch, thread, s.barrier.threads);
    if (any && s.limited) limit_all<P>(s, batch, thread);
    if (opens) {
        meet(s.barrier);
        measure_step<P>(s, thread);
        meet(s.barrier);
    }
    if (thread == 0) {
        if (any) add_up<P>(s.sums, s.train, batch.size, [&](long i) { return batch.rows[i]; }, [&](long m) { return batch.counts(m); },
            s.row_loss, s.row_score);
        if (opens) note_step<P>(s);
        s.beta1_power = constants.beta1_power;
        s.beta2_power = constants.beta2_power;
        s.step++;
        s.position++;
        s.pause = s.step % s.check_every == 0 && now() > s.deadline;
    }
    meet(s.barrier);
}

// Examples of a data set block by block through the network: visit(first buffer row, rows, first example).
template <class P, class Visit, class T = typename P::T>
void pass(const Net<T>& net, const Data<T>& data, long last, int thread, int threads, Visit visit) {
    const Range<T> examples = share<T>(data.rows, thread, threads), buffer = share<T>(net.capacity, thread, threads);
    for (long first = examples.from; first < examples.to; first += buffer.size()) {
        const long n = examples.to - first < buffer.size() ? examples.to - first : buffer.size();
        forward<P>(net, in_order<P>(net, data, buffer.from, buffer.from + n, first), buffer.from, buffer.from + n, last, nullptr);
        visit(buffer.from, n, first);
    }
}

// Loss and score of the validation set, dropout and noise off; thread 0 adds up.
template <class P, class T = typename P::T>
void validate(Session<T>& s, int thread) {
    const Net<T>& net = s.net;
    const Scratch<T> scratch(net, thread, s.barrier.threads);
    pass<P>(net, s.valid, net.n_layers - 1, thread, s.barrier.threads, [&](long from, long n, long first) {
        const long shift = first - from, at = shift * P::members;
        judge<P>(net, Judging<T>{s.loss, s.valid, load<T>(s.loss_constant.at), nullptr, s.valid_loss + at, s.valid_score + at, scratch.judge},
            from, from + n, [=](long r) { return r + shift; });
    });
}

// Whether the parameters of each member are finite.
template <class P, class T = typename P::T>
Mask<T> finite(const T* p, long n) {
    Mask<T> good = Vec<T>{} == Vec<T>{};
    for (long i = 0; i < n; i += lanes<T>) {
        const Vec<T> v = load<T>(p + i);
        good &= v - v == 0;
    }
    return good;
}

// Copies one member's parameters out of `from`, or a whole network's.
template <class P, class T = typename P::T>
void copy_member(const Session<T>& s, const T* from, T* to, long m) {
    if constexpr (!P::networks) __builtin_memcpy(to, from, s.net.n_packed * sizeof(T));
    else
        for (long i = m; i < s.net.n_packed; i += P::members) to[i] = from[i];
}

template <class P, class T = typename P::T>
void restore(Session<T>& s, long m) {
    copy_member<P>(s, s.snapshot, s.net.parameters, m);
}

// Early stopping: keep the best parameters, count the epochs that did not better them.
template <class P, class T = typename P::T>
void watch(Session<T>& s, long m, double value) {
    Member& member = s.members[m];
    const bool better = member.monitor == Metric::loss ? value < member.best_value - member.min_delta : value > member.best_value + member.min_delta;
    if (better) {
        member.best_value = value;
        member.best_epoch = s.epoch;
        member.wait = 0;
        copy_member<P>(s, s.net.parameters, s.best, m);
    } else if (++member.wait >= member.patience) {
        member.stopped = s.epoch;
    }
}

// The end of an epoch for one member that still trains.
template <class P, class T = typename P::T>
void end_epoch(Session<T>& s, long m, const Sums& valid, bool is_finite) {
    Member& member = s.members[m];
    double* row = s.history + 4 * ((s.epoch - 1) * s.n_members + m);
    const double loss = s.sums.loss[m] / s.sums.weight[m], score = score_from<P>(s.train, s.sums, m, s.net.n_outputs);
    if (!is_finite || !(loss - loss == 0)) {
        for (long i = 0; s.monitors && i < s.numbers; i++) monitors_of(s, s.epoch - 1, m)[i] = __builtin_nanf("");
        member.diverged = s.epoch;
        restore<P>(s, m);
    } else {
        row[0] = loss;
        row[1] = score;
        if (s.valid.rows) {
            row[2] = valid.loss[m] / valid.weight[m];
            row[3] = score_from<P>(s.valid, valid, m, s.net.n_outputs);
            if (member.monitor != Metric::none) watch<P>(s, m, row[member.monitor == Metric::loss ? 2 : 3]);
        }
    }
    if (!member.ended()) return;
    member.ended_step = s.step;
    member.ended_epoch = s.epoch;
    s.live--;
}

template <class P, class T = typename P::T>
void end_epoch(Session<T>& s) {
    constexpr long whole = P::networks ? 1 : lanes<T>;  // lanes that tell of one member
    s.epoch++;
    s.position = 0;
    Sums valid;
    if (s.valid.rows) add_up<P>(valid, s.valid, s.valid.rows, [](long i) { return i; }, [](long) { return true; }, s.valid_loss, s.valid_score);
    const Mask<T> good = finite<P>(s.net.parameters, s.net.n_packed);
    for (long m = 0; m < s.n_members; m++) {
        bool is_finite = true;
        for (long i = 0; i < whole; i++) is_finite &= good[m + i] != 0;
        if (!s.members[m].ended()) end_epoch<P>(s, m, valid, is_finite);
    }
    for (long m = s.n_members; m < P::members; m++) {  // spare lanes end with the first member, which they repeat
        s.members[m].stopped = s.members[0].stopped;
        s.members[m].diverged = s.members[0].diverged;
    }
    s.sums = Sums{};
    __builtin_memcpy(s.snapshot, s.net.parameters, s.net.n_packed * sizeof(T));
}

// The order of this epoch, unless it lies there already.
template <class T>
void order_rows(Session<T>& s) {
    if (s.rows_epoch == s.epoch) return;
    if (s.shuffled) shuffle(s.rows, s.train.rows, s.order, std::uint32_t(s.epoch));
    else for (long i = 0; i < s.train.rows; i++) s.rows[i] = std::int32_t(i);
    s.rows_epoch = s.epoch;
}

template <class P, class T = typename P::T>
void train(Session<T>& s, int thread) {
    const FloatMode mode;
    while (s.epoch < s.until_epoch && s.live) {
        if (thread == 0) order_rows(s);
        meet(s.barrier);
        while (s.position < s.steps_per_epoch && !s.pause) step<P>(s, thread);
        if (s.pause && s.position < s.steps_per_epoch) return;
        if (s.valid.rows) validate<P>(s, thread);
        const bool looks = watched(s);
        meet(s.barrier);  // everybody has seen how far the epoch is before it ends
        if (thread == 0) end_epoch<P>(s);
        meet(s.barrier);
        if (looks) look_inside<P>(s, thread);
        if (s.pause) return;
    }
}

template <class P, class T = typename P::T>
void gradient(Session<T>& s, int thread) {
    const FloatMode mode;
    if (thread == 0) order_rows(s);
    meet(s.barrier);
    step<P>(s, thread);
}

template <class P, class T = typename P::T>
void predict(const Net<T>& net, const Data<T>& data, long last, T* out, int thread, int threads) {
    const FloatMode mode;
    const Layer<T>& layer = net.layers[last];
    const long entries = layer.units * P::members;
    pass<P>(net, data, last, thread, threads, [&](long from, long n, long first) {
        for (long i = 0; i < n; i++)
            __builtin_memcpy(out + (first + i) * entries, layer.out + (from + i) * layer.unit_stride, entries * sizeof(T));
    });
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

template <class P, class T = typename P::T>
constexpr Packed<T> packed() { return {train<P>, gradient<P>, predict<P>}; }

template <class T>
constexpr Kernel<T> kernel() { return {lanes<T>, {packed<Columns<T>>(), packed<Networks<T>>()}, functions<T>}; }

}  // namespace
}  // namespace kilonet
