// Losses: value and slope of one example, with examples in the lanes, so that a sum over the
// outputs runs in order and never across lanes.
#pragma once
#include "functions.h"

namespace kilonet {
namespace {

template <class T>
struct Examples {             // lanes<T> examples
    long outputs;
    const T* scores;          // [outputs][lanes]
    const T* targets;         // [outputs][lanes], of losses that take numbers
    T* slopes;                // [outputs][lanes]
    Vec<T> label;             // of losses that take classes
    T constant;               // smoothing, delta or q
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
    const T share = x.constant / T(x.outputs), own = T(1) - x.constant;
    Vec<T> expected{};
    for (long j = 0; j < x.outputs; j++) {
        const Vec<T> t = x.label == T(j) ? all<T>(share + own) : all<T>(share), below = x.score(j) - most;
        if (x.constant != 0) expected = fma(t, below, expected);
        else expected = x.label == T(j) ? below : expected;
        x.slope(j, load<T>(x.slopes + j * lanes<T>) / sum - t);
    }
    return log<T>(sum) - expected;
}

// One output of the losses that add up over outputs: value and slope at score s, target y.
template <class T> struct Term { Vec<T> value, slope; };

template <Loss loss, class T>
INLINE Term<T> term(Vec<T> s, Vec<T> y, T c) {
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
        const Vec<T> side = r > zero ? all<T>(c) : all<T>(-c);
        return {a <= c ? r * r * T(0.5) : (a - c * T(0.5)) * c, a <= c ? r : side};
    } else {  // quantile
        const Vec<T> r = y - s, above = r * c, below = r * (c - T(1));
        return {above > below ? above : below, r > zero ? all<T>(-c) : r < zero ? all<T>(T(1) - c) : zero};
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
            const Vec<T> error = (s - y) * all<T>(error_scale[j]);  // scaled first: its square may not fit
            result = fma(error, error, result);
        }
    }
    return result;
}

// Constant outputs have no spread to be explained: what counts is whether every row meets them.
template <class T, class Index>
void note_missed(const Data<T>& data, long outputs, long filled, Index index, const T* scores, const T* targets) {
    for (long j = 0; j < outputs; j++)
        for (long i = 0; i < filled; i++)
            if (data.error_scale[j] == 0 && (!data.weights || data.weights[index(i)] != 0) && scores[j * lanes<T> + i] != targets[j * lanes<T> + i])
                __atomic_store_n(data.missed + j, std::uint8_t(1), __ATOMIC_RELAXED);
}

// Loss and score of buffer rows [from, to) against the examples index(row); with `weights` the
// slopes times weights[row] go to `incoming` of the last layer.
template <class T, class Index>
void judge(const Net<T>& net, Loss loss, T constant, const Data<T>& data, long from, long to, Index index, const T* weights, T* row_loss, T* row_score, T* scratch) {
    const Layer<T>& last = net.layers[net.n_layers - 1];
    const long k = net.n_outputs;
    T *scores = scratch, *targets = scratch + k * lanes<T>, *slopes = scratch + 2 * k * lanes<T>;
    for (long row = from; row < to; row += lanes<T>) {
        T label[lanes<T>], weight[lanes<T>], value[lanes<T>], score[lanes<T>];
        for (long i = 0; i < lanes<T>; i++) {
            const long r = row + i < to ? row + i : row;  // spare lanes repeat the first example
            const long example = index(r);
            for (long j = 0; j < k; j++) scores[j * lanes<T> + i] = last.out[r * last.unit_stride + j];
            if (data.numbers)
                for (long j = 0; j < k; j++) targets[j * lanes<T> + i] = data.numbers[example * k + j];
            label[i] = data.classes ? T(data.classes[example]) : T(0);
            weight[i] = weights ? weights[r] : T(0);
        }
        const Examples<T> x{k, scores, targets, slopes, load<T>(label), constant};
        store<T>(value, loss_of<T>(loss, x));
        store<T>(score, score_of<T>(loss, x, data.error_scale));
        const long filled = to - row < lanes<T> ? to - row : lanes<T>;
        for (long i = 0; i < filled; i++) {
            row_loss[row + i] = value[i];
            row_score[row + i] = score[i];
        }
        if (data.missed) note_missed<T>(data, k, filled, [&](long i) { return index(row + i); }, scores, targets);
        if (!weights) continue;
        const Vec<T> w = load<T>(weight);
        for (long j = 0; j < k; j++) store<T>(slopes + j * lanes<T>, load<T>(slopes + j * lanes<T>) * w);
        for (long i = 0; i < filled; i++)
            for (long j = 0; j < k; j++) last.incoming[(row + i) * last.unit_stride + j] = slopes[j * lanes<T> + i];
    }
}

}  // namespace
}  // namespace kilonet
