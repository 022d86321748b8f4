// Losses: value and slope of examples. In the lanes are examples of one network, or members of a pack
// with one example; either way a sum over the outputs runs in order and never across lanes.
#pragma once
#include "packing.h"

namespace kilonet {
namespace {

// Several vectors of examples ("items"): what one of them waits for, another one fills.
template <class T>
struct Examples {
    long items, outputs;
    const T* scores; long score_step;   // [items][outputs][lanes]; the step leads from one item to the next
    T* slopes; long slope_step;
    const T* targets;                   // [items][outputs][lanes], of losses that take numbers
    const T* labels;                    // [items][lanes], of losses that take classes
    T* values;                          // [items][lanes] the loss
    Vec<T> constant;                    // smoothing, delta or q
    INLINE Vec<T> score(long i, long j) const { return load<T>(scores + i * score_step + j * lanes<T>); }
    INLINE Vec<T> target(long i, long j) const { return load<T>(targets + (i * outputs + j) * lanes<T>); }
    INLINE Vec<T> label(long i) const { return load<T>(labels + i * lanes<T>); }
    INLINE Vec<T> slope(long i, long j) const { return load<T>(slopes + i * slope_step + j * lanes<T>); }
    INLINE void slope(long i, long j, Vec<T> s) const { store<T>(slopes + i * slope_step + j * lanes<T>, s); }
    INLINE void value(long i, Vec<T> v) const { store<T>(values + i * lanes<T>, v); }
    INLINE Vec<T> score_of_label(long i) const {
        Vec<T> s{};
        const Vec<T> own = label(i);
        for (long j = 0; j < outputs; j++) s = own == T(j) ? score(i, j) : s;
        return s;
    }
};

// Scores below the largest one to their exponentials. Of two, one is 0, so their sum is the other.
template <class T>
INLINE void exponentials(const Examples<T>& x) {
    if (x.outputs == 2)
        for (long i = 0; i < x.items; i++) {
            const Vec<T> one = all<T>(1), first = x.slope(i, 0), second = x.slope(i, 1), e = exp_bounded<T>(first + second);
            x.slope(i, 0, first == 0 ? one : e);
            x.slope(i, 1, second == 0 ? one : e);
        }
    else
        for (long i = 0; i < x.items; i++)
            for (long j = 0; j < x.outputs; j++) x.slope(i, j, exp_bounded<T>(x.slope(i, j)));
}

// Exponentials and logarithms of all items come one after another, where none waits for the one before.
template <bool smooths, class T>
INLINE void softmax_loss(const Examples<T>& x) {
    Vec<T> expected[most_items], sums[most_items];
    const Vec<T> share = x.constant / T(x.outputs), own = T(1) - x.constant;
    const auto target = [&](Vec<T> label, long j) {
        return smooths ? label == T(j) ? share + own : share : label == T(j) ? all<T>(1) : Vec<T>{};
    };
    for (long i = 0; i < x.items; i++) {
        Vec<T> most = x.score(i, 0), smooth{}, plain{};
        const Vec<T> label = x.label(i);
        for (long j = 1; j < x.outputs; j++) most = x.score(i, j) > most ? x.score(i, j) : most;
        for (long j = 0; j < x.outputs; j++) {
            const Vec<T> below = x.score(i, j) - most;
            if constexpr (smooths) smooth = fma(target(label, j), below, smooth);
            plain = label == T(j) ? below : plain;
            x.slope(i, j, below);
        }
        expected[i] = smooths ? x.constant == 0 ? plain : smooth : plain;
    }
    exponentials<T>(x);
    for (long i = 0; i < x.items; i++) {
        const Vec<T> label = x.label(i);
        Vec<T> sum{};
        for (long j = 0; j < x.outputs; j++) sum = j ? sum + x.slope(i, j) : x.slope(i, j);
        for (long j = 0; j < x.outputs; j++) x.slope(i, j, x.slope(i, j) / sum - target(label, j));
        sums[i] = sum;
    }
    for (long i = 0; i < x.items; i++) x.value(i, log<T>(sums[i]) - expected[i]);
}

template <class T>
INLINE void cross_entropy(const Examples<T>& x) {
    if (any_lane<T>(x.constant != 0)) return softmax_loss<true, T>(x);
    if (x.outputs != 2) return softmax_loss<false, T>(x);
    Examples<T> two = x;
    two.outputs = 2;  // now the compiler knows it, in the case that is worth a copy of the code
    softmax_loss<false, T>(two);
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
INLINE void terms(const Examples<T>& x) {
    for (long i = 0; i < x.items; i++) {
        Vec<T> sum{};
        for (long j = 0; j < x.outputs; j++) {
            const Term<T> at = term<loss, T>(x.score(i, j), x.target(i, j), x.constant);
            sum = j ? sum + at.value : at.value;
            x.slope(i, j, at.slope);
        }
        x.value(i, sum);
    }
}

// Sum over the wrong classes of the margin by which they are not beaten (Weston & Watkins 1999).
template <bool squared, class T>
INLINE void class_margins(const Examples<T>& x) {
    for (long i = 0; i < x.items; i++) {
        const Vec<T> label = x.label(i), own = x.score_of_label(i), zero{};
        Vec<T> sum{}, pull{};
        for (long j = 0; j < x.outputs; j++) {
            const Vec<T> margin = x.score(i, j) - own + T(1);
            const Vec<T> m = label == T(j) ? zero : margin > zero ? margin : zero;
            const Vec<T> slope = squared ? m * T(2) : m > zero ? all<T>(1) : zero;
            sum = sum + (squared ? m * m : m);
            pull = pull + slope;
            x.slope(i, j, slope);
        }
        for (long j = 0; j < x.outputs; j++) x.slope(i, j, label == T(j) ? -pull : x.slope(i, j));
        x.value(i, sum);
    }
}

template <class T>
INLINE void find_losses(Loss loss, const Examples<T>& x) {
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
}

constexpr bool takes_classes(Loss loss) { return loss == Loss::cross_entropy || loss == Loss::hinge_classes || loss == Loss::squared_hinge_classes; }
constexpr bool takes_signs(Loss loss) { return loss == Loss::hinge_signs || loss == Loss::squared_hinge_signs; }

// 1 where the decision is right; for numbers the squared error, scaled so that its sum is 1 - R2.
template <class T>
INLINE Vec<T> score_of(Loss loss, const Examples<T>& x, long i, const T* error_scale) {
    const Vec<T> one = all<T>(1), zero{};
    if (takes_classes(loss)) {
        Vec<T> most = x.score(i, 0), at{};
        for (long j = 1; j < x.outputs; j++) {
            const Vec<T> s = x.score(i, j);
            at = s > most ? all<T>(T(j)) : at;
            most = s > most ? s : most;
        }
        return at == x.label(i) ? one : zero;
    }
    Vec<T> result = takes_signs(loss) || loss == Loss::logistic ? one : zero;
    for (long j = 0; j < x.outputs; j++) {
        const Vec<T> s = x.score(i, j), y = x.target(i, j);
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

// Slopes times shares to the rows [first, first + n) of `incoming`.
template <class T>
void lay_slopes_back(const Layer<T>& last, long k, long first, long n, const T* slopes, const T* shares) {
    constexpr long L = lanes<T>;
    const long padded = round_up(k, L);
    for (long i = 0; i < n; i++) {
        T* const incoming = last.incoming + (first + i) * last.unit_stride;
        const T* const own = slopes + i / L * k * L + i % L;
        for (long j = 0; j < k; j++) incoming[j] = own[j * L] * shares[i];
        for (long j = k; j < padded; j++) incoming[j] = 0;  // no gradient for what fills the vector up
    }
}

// Examples of one network in the lanes: scores are laid across and slopes back.
template <class T, class Index>
void judge_columns(const Net<T>& net, const Judging<T>& by, long from, long to, Index index) {
    constexpr long L = lanes<T>;
    const Layer<T>& last = net.layers[net.n_layers - 1];
    const long k = net.n_outputs, together = items_together(k), size = together * k * L;
    T *scores = by.scratch, *targets = scores + size, *slopes = targets + size;
    T labels[most_items * L], values[most_items * L], shares[most_items * L];
    for (long first = from; first < to; first += together * L) {
        const long n = to - first < together * L ? to - first : together * L, items = (n + L - 1) / L;
        for (long i = 0; i < items * L; i++) {
            const long r = first + (i < n ? i : 0);  // spare lanes repeat the first example
            const long example = index(r), at = i / L * k * L + i % L;
            for (long j = 0; j < k; j++) scores[at + j * L] = last.out[r * last.unit_stride + j];
            if (by.data.numbers)
                for (long j = 0; j < k; j++) targets[at + j * L] = by.data.numbers[example * k + j];
            labels[i] = by.data.classes ? T(by.data.classes[example]) : T(0);
            shares[i] = by.shares ? by.shares[r] : T(0);
        }
        const Examples<T> x{items, k, scores, k * L, slopes, k * L, targets, labels, values, by.constant};
        find_losses<T>(by.loss, x);
        __builtin_memcpy(by.row_loss + first, values, n * sizeof(T));
        for (long i = 0; i < items; i++) store<T>(values + i * L, score_of<T>(by.loss, x, i, by.data.error_scale));
        __builtin_memcpy(by.row_score + first, values, n * sizeof(T));
        for (long i = 0; by.data.missed && i < items; i++)
            note_missed<Columns<T>>(by.data, k, n - i * L < L ? n - i * L : L, [&](long l) { return index(first + i * L + l); },
                scores + i * k * L, targets + i * k * L);
        if (by.shares) lay_slopes_back<T>(last, k, first, n, slopes, shares);
    }
}

// What every member is to say of an example: numbers [k][members], or a class each.
template <class T>
void lay_targets(const Data<T>& data, long example, long k, T* numbers, T* labels) {
    constexpr long M = lanes<T>;
    if (!data.own) {
        for (long j = 0; data.numbers && j < k; j++) store<T>(numbers + j * M, all<T>(data.numbers[example * k + j]));
        store<T>(labels, all<T>(data.classes ? T(data.classes[example]) : T(0)));
        return;
    }
    for (long m = 0; m < M; m++) {
        const Table<T>& table = data.tables[m];
        for (long j = 0; table.numbers && j < k; j++) numbers[j * M + m] = table.numbers[example * k + j];
        labels[m] = table.classes ? T(table.classes[example]) : T(0);
    }
}

// Members in the lanes, an example an item: scores lie there already.
template <class T, class Index>
void judge_networks(const Net<T>& net, const Judging<T>& by, long from, long to, Index index) {
    constexpr long M = lanes<T>;
    const Layer<T>& last = net.layers[net.n_layers - 1];
    const long k = net.n_outputs, together = items_together(k);
    T* const targets = by.scratch;
    T labels[most_items * M];
    for (long first = from; first < to; first += together) {
        const long items = to - first < together ? to - first : together;
        for (long i = 0; i < items; i++) {
            lay_targets<T>(by.data, index(first + i), k, targets + i * k * M, labels + i * M);
        }
        const T* const scores = last.out + first * last.unit_stride;
        T* const slopes = by.shares ? last.incoming + first * last.unit_stride : targets + together * k * M;
        const long slope_step = by.shares ? last.unit_stride : k * M;
        const Examples<T> x{items, k, scores, last.unit_stride, slopes, slope_step, targets, labels, by.row_loss + first * M, by.constant};
        find_losses<T>(by.loss, x);
        for (long i = 0; i < items; i++) {
            const long row = first + i;
            store<T>(by.row_score + row * M, score_of<T>(by.loss, x, i, by.data.error_scale));
            if (by.data.missed)
                note_missed<Networks<T>>(by.data, k, M, [&](long) { return index(row); }, scores + i * last.unit_stride, targets + i * k * M);
            if (!by.shares) continue;
            const Vec<T> s = load<T>(by.shares + row * M);
            for (long j = 0; j < k; j++) x.slope(i, j, x.slope(i, j) * s);
        }
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
