// Losses: value and slope of an example. In the lanes are examples of one network, or members of a pack
// with one example; either way a sum over the outputs runs in order and never across lanes.
#pragma once
#include "packing.h"

namespace kilonet {
namespace {

template <class T>
struct Examples {             // one in each lane
    long outputs;
    const T* scores;          // [outputs][lanes]
    const T* targets;         // [outputs][lanes], of losses that take numbers
    T* slopes;                // [outputs][lanes]
    Vec<T> label;             // of losses that take classes
    Vec<T> constant;          // smoothing, delta or q
    INLINE Vec<T> score(long j) const { return load<T>(scores + j * lanes<T>); }
    INLINE Vec<T> target(long j) const { return load<T>(targets + j * lanes<T>); }
    INLINE void slope(long j, Vec<T> s) const { store<T>(slopes + j * lanes<T>, s); }
    INLINE Vec<T> score_of_label() const {
        Vec<T> s{};
        for (long j = 0; j < outputs; j++) s = label == T(j) ? score(j) : s;
        return s;
    }
};

template <class T>
INLINE Vec<T> cross_entropy(const Examples<T>& x) {
    Vec<T> most = x.score(0);
    for (long j = 1; j < x.outputs; j++) most = x.score(j) > most ? x.score(j) : most;
    Vec<T> sum{};
    for (long j = 0; j < x.outputs; j++) {
        const Vec<T> e = exp<T>(x.score(j) - most);
        x.slope(j, e);
        sum = j ? sum + e : e;
    }
    const Vec<T> share = x.constant / T(x.outputs), own = T(1) - x.constant;
    Vec<T> smooth{}, plain{};
    for (long j = 0; j < x.outputs; j++) {
        const Vec<T> t = x.label == T(j) ? share + own : share, below = x.score(j) - most;
        smooth = fma(t, below, smooth);
        plain = x.label == T(j) ? below : plain;
        x.slope(j, load<T>(x.slopes + j * lanes<T>) / sum - t);
    }
    return log<T>(sum) - (x.constant == 0 ? plain : smooth);
}

// One output of the losses that add up over outputs: value and slope at score s, target y.
template <class T> struct Term { Vec<T> value, slope; };

template <Loss loss, class T>
INLINE Term<T> term(Vec<T> s, Vec<T> y, Vec<T> c) {
    const Vec<T> zero{}, one = all<T>(1);
    if constexpr (loss == Loss::logistic) {
        const Vec<T> smooth = log1p<T>(exp<T>(-absolute<T>(s)));
        return {(s > zero ? s : zero) - s * y + smooth, sigmoid<T>(s) - y};
    } else if constexpr (loss == Loss::hinge_signs) {
        const Vec<T> margin = one - y * s;
        return {margin > zero ? margin : zero, margin > zero ? -y : zero};
    } else if constexpr (loss == Loss::squared_hinge_signs) {
        const Vec<T> margin = one - y * s, positive = margin > zero ? margin : zero;
        return {positive * positive, positive * T(-2) * y};
    } else if constexpr (loss == Loss::squared) {
        const Vec<T> r = s - y;
        return {r * r * T(0.5), r};
    } else if constexpr (loss == Loss::absolute) {
        const Vec<T> r = s - y;
        return {absolute<T>(r), r > zero ? one : r < zero ? -one : zero};
    } else if constexpr (loss == Loss::huber) {
        const Vec<T> r = s - y, a = absolute<T>(r);
        const Vec<T> side = r > zero ? c : -c;
        return {a <= c ? r * r * T(0.5) : (a - c * T(0.5)) * c, a <= c ? r : side};
    } else {  // quantile
        const Vec<T> r = y - s, above = r * c, below = r * (c - T(1));
        return {above > below ? above : below, r > zero ? -c : r < zero ? T(1) - c : zero};
    }
}

template <Loss loss, class T>
INLINE Vec<T> terms(const Examples<T>& x) {
    Vec<T> sum{};
    for (long j = 0; j < x.outputs; j++) {
        const Term<T> at = term<loss, T>(x.score(j), x.target(j), x.constant);
        sum = j ? sum + at.value : at.value;
        x.slope(j, at.slope);
    }
    return sum;
}

// Sum over the wrong classes of the margin by which they are not beaten (Weston & Watkins 1999).
template <bool squared, class T>
INLINE Vec<T> class_margins(const Examples<T>& x) {
    const Vec<T> own = x.score_of_label(), zero{};
    Vec<T> sum{}, pull{};
    for (long j = 0; j < x.outputs; j++) {
        const Vec<T> margin = x.score(j) - own + T(1);
        const Vec<T> m = x.label == T(j) ? zero : margin > zero ? margin : zero;
        const Vec<T> slope = squared ? m * T(2) : m > zero ? all<T>(1) : zero;
        sum = sum + (squared ? m * m : m);
        pull = pull + slope;
        x.slope(j, slope);
    }
    for (long j = 0; j < x.outputs; j++) x.slope(j, x.label == T(j) ? -pull : load<T>(x.slopes + j * lanes<T>));
    return sum;
}

template <class T>
INLINE Vec<T> loss_of(Loss loss, const Examples<T>& x) {
    switch (loss) {
        case Loss::cross_entropy: return cross_entropy<T>(x);
        case Loss::logistic: return terms<Loss::logistic, T>(x);
        case Loss::hinge_signs: return terms<Loss::hinge_signs, T>(x);
        case Loss::hinge_classes: return class_margins<false, T>(x);
        case Loss::squared_hinge_signs: return terms<Loss::squared_hinge_signs, T>(x);
        case Loss::squared_hinge_classes: return class_margins<true, T>(x);
        case Loss::squared: return terms<Loss::squared, T>(x);
        case Loss::absolute: return terms<Loss::absolute, T>(x);
        case Loss::huber: return terms<Loss::huber, T>(x);
        case Loss::quantile: return terms<Loss::quantile, T>(x);
    }
    return Vec<T>{};
}

constexpr bool takes_classes(Loss loss) { return loss == Loss::cross_entropy || loss == Loss::hinge_classes || loss == Loss::squared_hinge_classes; }
constexpr bool takes_signs(Loss loss) { return loss == Loss::hinge_signs || loss == Loss::squared_hinge_signs; }

// 1 where the decision is right; for numbers the squared error, scaled so that its sum is 1 - R2.
template <class T>
INLINE Vec<T> score_of(Loss loss, const Examples<T>& x, const T* error_scale) {
    const Vec<T> one = all<T>(1), zero{};
    if (takes_classes(loss)) {
        Vec<T> most = x.score(0), at{};
        for (long j = 1; j < x.outputs; j++) {
            const Vec<T> s = x.score(j);
            at = s > most ? all<T>(T(j)) : at;
            most = s > most ? s : most;
        }
        return at == x.label ? one : zero;
    }
    Vec<T> result = takes_signs(loss) || loss == Loss::logistic ? one : zero;
    for (long j = 0; j < x.outputs; j++) {
        const Vec<T> s = x.score(j), y = x.target(j);
        if (takes_signs(loss) || loss == Loss::logistic) {
            const Vec<T> said = s > zero ? one : zero, is = y > zero ? one : zero;
            result = said == is ? result : zero;
        } else {
            const Vec<T> error = (s - y) * load<T>(error_scale + j * most_lanes);  // scaled first: its square may not fit
            result = fma(error, error, result);
        }
    }
    return result;
}

// Constant outputs have no spread to be explained: what counts is whether every row meets them.
// example(lane) and member(lane) say whom a lane belongs to.
template <class P, class Example, class T = typename P::T>
void note_missed(const Data<T>& data, long outputs, long filled, Example example, const T* scores, const T* targets) {
    for (long j = 0; j < outputs; j++)
        for (long i = 0; i < filled; i++) {
            const long m = P::networks ? i : 0;
            if (data.error_scale[j * most_lanes + i] == 0 && (!data.weighted || data.weights[m][example(i)] != 0) &&
                scores[j * lanes<T> + i] != targets[j * lanes<T> + i])
                __atomic_store_n(data.missed + j * P::members + m, std::uint8_t(1), __ATOMIC_RELAXED);
        }
}

// What a judge needs beside the network.
template <class T>
struct Judging {
    Loss loss;
    const Data<T>& data;
    Vec<T> constant;
    const T* shares;           // (rows, members) what slopes are multiplied with; null where none are wanted
    T *row_loss, *row_score;   // (rows, members)
    T* scratch;
};

// Examples of one network in the lanes: scores are laid across and slopes back.
template <class T, class Index>
void judge_columns(const Net<T>& net, const Judging<T>& by, long from, long to, Index index) {
    const Layer<T>& last = net.layers[net.n_layers - 1];
    const long k = net.n_outputs, padded = round_up(k, lanes<T>);
    T *scores = by.scratch, *targets = scores + k * lanes<T>, *slopes = targets + k * lanes<T>;
    for (long row = from; row < to; row += lanes<T>) {
        T label[lanes<T>], share[lanes<T>], value[lanes<T>], score[lanes<T>];
        for (long i = 0; i < lanes<T>; i++) {
            const long r = row + i < to ? row + i : row;  // spare lanes repeat the first example
            const long example = index(r);
            for (long j = 0; j < k; j++) scores[j * lanes<T> + i] = last.out[r * last.unit_stride + j];
            if (by.data.numbers)
                for (long j = 0; j < k; j++) targets[j * lanes<T> + i] = by.data.numbers[example * k + j];
            label[i] = by.data.classes ? T(by.data.classes[example]) : T(0);
            share[i] = by.shares ? by.shares[r] : T(0);
        }
        const Examples<T> x{k, scores, targets, slopes, load<T>(label), by.constant};
        store<T>(value, loss_of<T>(by.loss, x));
        store<T>(score, score_of<T>(by.loss, x, by.data.error_scale));
        const long filled = to - row < lanes<T> ? to - row : lanes<T>;
        for (long i = 0; i < filled; i++) {
            by.row_loss[row + i] = value[i];
            by.row_score[row + i] = score[i];
        }
        if (by.data.missed) note_missed<Columns<T>>(by.data, k, filled, [&](long i) { return index(row + i); }, scores, targets);
        if (!by.shares) continue;
        const Vec<T> s = load<T>(share);
        for (long j = 0; j < k; j++) store<T>(slopes + j * lanes<T>, load<T>(slopes + j * lanes<T>) * s);
        for (long i = 0; i < filled; i++) {
            T* const incoming = last.incoming + (row + i) * last.unit_stride;
            for (long j = 0; j < k; j++) incoming[j] = slopes[j * lanes<T> + i];
            for (long j = k; j < padded; j++) incoming[j] = 0;  // no gradient for what fills the vector up
        }
    }
}

// Members in the lanes, one example at a time: scores lie there already.
template <class T, class Index>
void judge_networks(const Net<T>& net, const Judging<T>& by, long from, long to, Index index) {
    constexpr long M = lanes<T>;
    const Layer<T>& last = net.layers[net.n_layers - 1];
    const long k = net.n_outputs;
    for (long row = from; row < to; row++) {
        const long example = index(row);
        const T* const scores = last.out + row * last.unit_stride;
        T *targets = by.scratch, *slopes = by.shares ? last.incoming + row * last.unit_stride : targets + k * M;
        if (by.data.numbers)
            for (long j = 0; j < k; j++) store<T>(targets + j * M, all<T>(by.data.numbers[example * k + j]));
        const Examples<T> x{k, scores, targets, slopes, all<T>(by.data.classes ? T(by.data.classes[example]) : T(0)), by.constant};
        store<T>(by.row_loss + row * M, loss_of<T>(by.loss, x));
        store<T>(by.row_score + row * M, score_of<T>(by.loss, x, by.data.error_scale));
        if (by.data.missed) note_missed<Networks<T>>(by.data, k, M, [=](long) { return example; }, scores, targets);
        if (!by.shares) continue;
        const Vec<T> s = load<T>(by.shares + row * M);
        for (long j = 0; j < k; j++) store<T>(slopes + j * M, load<T>(slopes + j * M) * s);
    }
}

// Loss and score of buffer rows [from, to) against the examples index(row); with shares the slopes times
// them go to `incoming` of the last layer.
template <class P, class Index, class T = typename P::T>
void judge(const Net<T>& net, const Judging<T>& by, long from, long to, Index index) {
    if constexpr (P::networks) judge_networks<T>(net, by, from, to, index);
    else judge_columns<T>(net, by, from, to, index);
}

}  // namespace
}  // namespace kilonet
