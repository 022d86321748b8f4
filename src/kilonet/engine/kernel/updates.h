// From a gradient to new parameters: penalties, optimizers, max-norm.
#pragma once
#include "tiles.h"

namespace kilonet {
namespace {

template <int n> struct Count { static constexpr int value = n; };
template <Rule r> struct By { static constexpr Rule rule = r; };

template <class F>
INLINE void with_rule(Rule rule, F f) {
    switch (rule) {
        case Rule::sgd: f(By<Rule::sgd>{}); break;
        case Rule::momentum: f(By<Rule::momentum>{}); break;
        case Rule::nesterov: f(By<Rule::nesterov>{}); break;
        case Rule::rmsprop: f(By<Rule::rmsprop>{}); break;
        case Rule::adagrad: f(By<Rule::adagrad>{}); break;
        case Rule::adam: f(By<Rule::adam>{}); break;
        case Rule::adamw: f(By<Rule::adamw>{}); break;
        case Rule::none: f(By<Rule::none>{}); break;
    }
}

template <Cases c> struct In { static constexpr Cases cases = c; };

template <class F>
INLINE void with_cases(Cases cases, F f) {
    switch (cases) {
        case Cases::plain: f(In<Cases::plain>{}); break;
        case Cases::all_l2: f(In<Cases::all_l2>{}); break;
        case Cases::mixed: f(In<Cases::mixed>{}); break;
    }
}

// What one step multiplies with, for the member in each lane: computed in float64, rounded to T once.
template <class T>
struct StepConstants {
    Vec<T> rate, l2, l1, beta1, rest1, beta2, rest2, epsilon, corrected_rate, correction2, shrink;
    Cases cases;
    bool descends;             // plain SGD that moves every lane, while nobody wants to see the gradient
    bool keeps;                // whether the gradient of the data stays in its memory
    Mask<T> penalizes, moves;  // lanes with a penalty; lanes that this step changes
    double beta1_power, beta2_power;
};

// The lanes whose flag is set.
template <class P, class F>
INLINE Mask<typename P::T> lanes_where(F flag) {
    using T = typename P::T;
    return spread<P>([&](long m) { return flag(m) ? T(1) : T(0); }) != 0;
}

template <class P, class T = typename P::T>
StepConstants<T> step_constants(const Session<T>& s) {
    const std::int64_t place = s.step - s.factors_from;
    const double factor = s.n_factors ? s.factors[place < s.n_factors ? place : s.n_factors - 1] : 0;
    const double power1 = s.beta1_power * s.beta1, power2 = s.beta2_power * s.beta2;
    const bool corrects = s.rule == Rule::adam || s.rule == Rule::adamw;
    const auto rate = [&](long m) { return s.members[m].rate * factor; };
    StepConstants<T> c;
    c.rate = spread<P>([&](long m) { return T(rate(m)); });
    c.l2 = load<T>(s.l2.at);
    c.l1 = load<T>(s.l1.at);
    c.penalizes = (c.l2 != 0) | (c.l1 != 0);
    c.beta1 = all<T>(T(s.beta1));
    c.rest1 = all<T>(T(1 - s.beta1));
    c.beta2 = all<T>(T(s.beta2));
    c.rest2 = all<T>(T(1 - s.beta2));
    c.epsilon = all<T>(T(s.epsilon));
    c.corrected_rate = corrects ? spread<P>([&](long m) { return T(rate(m) / (1 - power1)); }) : c.rate;
    c.correction2 = all<T>(T(corrects ? 1 / __builtin_sqrt(1 - power2) : 1));
    c.shrink = spread<P>([&](long m) { return T(1 - rate(m) * s.decay); });
    c.beta1_power = power1;
    c.beta2_power = power2;
    return c;
}

// One vector of parameters; `first` and `second` are the optimizer's own, where it has them. Lanes that do
// not move keep what they have.
template <Rule rule, bool is_weight, Cases cases, class T>
INLINE void update(const StepConstants<T>& c, Vec<T> g, T* value, [[maybe_unused]] T* first, [[maybe_unused]] T* second, T* gradient) {
    const Vec<T> before = load<T>(value);
    Vec<T> w = before;
    const auto put = [&](T* to, Vec<T> now, Vec<T> then) {
        if constexpr (cases == Cases::mixed) store<T>(to, c.moves ? now : then);
        else store<T>(to, now);
    };
    if constexpr (is_weight && cases == Cases::all_l2) g = fma(c.l2, w, g);
    if constexpr (is_weight && cases == Cases::mixed) {
        const Vec<T> sign = w > 0 ? c.l1 : w < 0 ? -c.l1 : Vec<T>{};
        g = c.penalizes ? fma(c.l2, w, g) : g;
        g = c.l1 != 0 ? g + sign : g;
    }
    if constexpr (rule == Rule::none) {
        store<T>(gradient, g);
        return;
    } else if constexpr (rule == Rule::sgd) {
        w = fma(-c.rate, g, w);
    } else if constexpr (rule == Rule::momentum || rule == Rule::nesterov) {
        const Vec<T> v0 = load<T>(first), v = fma(c.beta1, v0, g);
        put(first, v, v0);
        w = fma(-c.rate, rule == Rule::nesterov ? fma(c.beta1, v, g) : v, w);
    } else if constexpr (rule == Rule::rmsprop || rule == Rule::adagrad) {
        const Vec<T> s0 = load<T>(first), s = rule == Rule::rmsprop ? fma(c.beta2, s0, c.rest2 * (g * g)) : fma(g, g, s0);
        put(first, s, s0);
        w = fma(-c.rate, g / (root(s) + c.epsilon), w);
    } else {  // adam, adamw
        if constexpr (rule == Rule::adamw && is_weight) w = w * c.shrink;
        const Vec<T> m0 = load<T>(first), v0 = load<T>(second);
        const Vec<T> m = fma(c.beta1, m0, c.rest1 * g), v = fma(c.beta2, v0, c.rest2 * (g * g));
        put(first, m, m0);
        put(second, v, v0);
        w = fma(-c.corrected_rate, m / fma(root(v), c.correction2, c.epsilon), w);
    }
    put(value, w, before);
}

// A tile of gradients [vector groups][rows][group] and the weights below it.
template <class P, class T = typename P::T>
void update_tile(const Layer<T>& layer, Rule rule, const StepConstants<T>& c, const T* tile, long tile_groups, long k, long rows, long vector, long vectors) {
    constexpr long G = P::group;
    const StepConstants<T> held = c;  // in registers: no store can change a copy
    with_rule(rule, [&](auto by) {
        with_cases(c.cases, [&](auto in) {
            for (long v = 0; v < vectors; v++) {
                const long from = column<P>(v, tile_groups), to = column<P>(vector + v, layer.groups) + k * G;
                T *value = layer.value.W + to, *first = layer.first.W + to, *second = layer.second.W + to, *gradient = layer.gradient.W + to;
                for (long i = 0; i < rows * G; i += G)
                    update<by.rule, true, in.cases, T>(held, load<T>(tile + from + i), value + i, first + i, second + i, gradient + i);
            }
        });
    });
}

// Sums over the rows of so many vectors: as many chains of additions, of which none waits for another.
template <int vectors, class T, class Row>
INLINE void update_together(long v, const Net<T>& net, long l, long rows, Row row, Rule rule, const StepConstants<T>& c, T* value, T* first, T* second, T* gradient) {
    Vec<T> sum[vectors] = {};
    for (long place = l; place >= 0; place = net.layers[place].again) {
        const Layer<T>& layer = net.layers[place];
        for (long r = 0; r < rows; r++)
#pragma GCC unroll 8
            for (int i = 0; i < vectors; i++) sum[i] = row(layer, r, (v + i) * lanes<T>, sum[i]);
    }
    with_rule(rule, [&](auto by) {
        for (long i = 0; i < vectors; i++) {
            const long at = (v + i) * lanes<T>;
            if (c.cases == Cases::mixed) update<by.rule, false, Cases::mixed, T>(c, sum[i], value + at, first + at, second + at, gradient + at);
            else update<by.rule, false, Cases::plain, T>(c, sum[i], value + at, first + at, second + at, gradient + at);
        }
    });
}

// Gradients and updates of biases and PReLU's slopes, over all places where a layer is applied.
template <class T, class Row>
INLINE void update_vectors(long from, long to, const Net<T>& net, long l, long rows, Row row, Rule rule, const StepConstants<T>& c, T* value, T* first, T* second, T* gradient) {
    const auto together = [&](auto vectors) {
        update_together<vectors.value, T>(from, net, l, rows, row, rule, c, value, first, second, gradient);
        from += vectors.value;
    };
    while (to - from >= 8) together(Count<8>{});
    if (to - from >= 4) together(Count<4>{});
    if (to - from >= 2) together(Count<2>{});
    if (to - from >= 1) together(Count<1>{});
}

// Each unit's incoming weights back to norm most(lane), 0 for no bound, for column groups [from, to).
template <class P, class Most, class T>
void limit_norms(const Layer<T>& layer, Most most, long from, long to) {
    constexpr long G = P::group;
    for (long g = from; g < to; g++) {
        T* W = layer.value.W + g * layer.groups;
        double square[G] = {};
        for (long k = 0; k < layer.fan_in; k++)
            for (long j = 0; j < G; j++) square[j] += double(W[k * G + j]) * double(W[k * G + j]);
        bool any = false;
        T factor[G];
        for (long j = 0; j < G; j++) {
            const double norm = __builtin_sqrt(square[j]), bound = most(j % P::members);
            const bool beyond = bound != 0 && norm > bound;
            factor[j] = beyond ? T(bound / norm) : T(1);
            any |= beyond;
        }
        if (!any) continue;
        for (long k = 0; k < layer.fan_in; k++)
            for (long j = 0; j < G; j++) W[k * G + j] *= factor[j];
    }
}

}  // namespace
}  // namespace kilonet
