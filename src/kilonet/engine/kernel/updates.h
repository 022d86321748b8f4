// From a gradient to new parameters: penalties, optimizers, max-norm.
#pragma once
#include "tiles.h"

namespace kilonet {
namespace {

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

// What one step multiplies with: computed in float64, rounded to T once.
template <class T>
struct StepConstants {
    T rate, l2, l1, beta1, rest1, beta2, rest2, epsilon, corrected_rate, correction2, shrink;
    bool penalized;
    double beta1_power, beta2_power;
};

template <class T>
StepConstants<T> step_constants(const Session<T>& s) {
    const std::int64_t place = s.step - s.rates_from;
    const double rate = s.n_rates ? s.rates[place < s.n_rates ? place : s.n_rates - 1] : 0;
    const double power1 = s.beta1_power * s.beta1, power2 = s.beta2_power * s.beta2;
    StepConstants<T> c;
    c.rate = T(rate);
    c.l2 = T(s.l2);
    c.l1 = T(s.l1);
    c.penalized = s.l2 != 0 || s.l1 != 0;
    c.beta1 = T(s.beta1);
    c.rest1 = T(1 - s.beta1);
    c.beta2 = T(s.beta2);
    c.rest2 = T(1 - s.beta2);
    c.epsilon = T(s.epsilon);
    const bool corrects = s.rule == Rule::adam || s.rule == Rule::adamw;
    c.corrected_rate = T(corrects ? rate / (1 - power1) : rate);
    c.correction2 = T(corrects ? 1 / __builtin_sqrt(1 - power2) : 1);
    c.shrink = T(1 - rate * s.decay);
    c.beta1_power = power1;
    c.beta2_power = power2;
    return c;
}

// One vector of parameters; `first` and `second` are the optimizer's own, where it has them.
template <Rule rule, bool is_weight, class T>
INLINE void update(const StepConstants<T>& c, Vec<T> g, T* value, [[maybe_unused]] T* first, [[maybe_unused]] T* second, T* gradient) {
    Vec<T> w = load<T>(value);
    if constexpr (is_weight) {
        if (c.penalized) {
            g = fma(all<T>(c.l2), w, g);
            if (c.l1 != 0) {
                const Vec<T> l1 = all<T>(c.l1);
                g = g + (w > 0 ? l1 : w < 0 ? -l1 : Vec<T>{});
            }
        }
    }
    const Vec<T> minus_rate = all<T>(-c.rate);
    if constexpr (rule == Rule::none) {
        store<T>(gradient, g);
        return;
    } else if constexpr (rule == Rule::sgd) {
        w = fma(minus_rate, g, w);
    } else if constexpr (rule == Rule::momentum || rule == Rule::nesterov) {
        const Vec<T> beta = all<T>(c.beta1), v = fma(beta, load<T>(first), g);
        store<T>(first, v);
        w = fma(minus_rate, rule == Rule::nesterov ? fma(beta, v, g) : v, w);
    } else if constexpr (rule == Rule::rmsprop || rule == Rule::adagrad) {
        const Vec<T> s = rule == Rule::rmsprop ? fma(all<T>(c.beta2), load<T>(first), all<T>(c.rest2) * (g * g)) : fma(g, g, load<T>(first));
        store<T>(first, s);
        w = fma(minus_rate, g / (root(s) + all<T>(c.epsilon)), w);
    } else {  // adam, adamw
        if constexpr (rule == Rule::adamw && is_weight) w = w * all<T>(c.shrink);
        const Vec<T> m = fma(all<T>(c.beta1), load<T>(first), all<T>(c.rest1) * g);
        const Vec<T> v = fma(all<T>(c.beta2), load<T>(second), all<T>(c.rest2) * (g * g));
        store<T>(first, m);
        store<T>(second, v);
        w = fma(all<T>(-c.corrected_rate), m / fma(root(v), all<T>(c.correction2), all<T>(c.epsilon)), w);
    }
    store<T>(value, w);
}

// W of rows [k, k + rows) and columns [column, column + columns) to the layout of the way back.
template <class T>
void refresh_back(const Layer<T>& layer, long k, long rows, long first_column, long columns) {
    constexpr long G = group<T>;
    const long to = first_column + columns < layer.width ? first_column + columns : layer.width;
    for (long i = k; i < k + rows; i++) {
        T* back = layer.back + i / G * layer.width * G + i % G;
        for (long g = first_column / G * G; g < to; g += G) {
            const T* from = layer.value.W + g * layer.fan_in + i * G;
            const long first = g < first_column ? first_column - g : 0, last = to - g < G ? to - g : G;
            for (long j = first; j < last; j++) back[(g + j) * G] = from[j];
        }
    }
}

// A tile of gradients [vector groups][rows][group] and the weights below it.
template <class T>
void update_tile(const Layer<T>& layer, Rule rule, const StepConstants<T>& c, const T* tile, long tile_groups, long k, long rows, long vector, long vectors) {
    constexpr long G = group<T>;
    with_rule(rule, [&](auto by) {
        for (long v = 0; v < vectors; v++) {
            const long from = column<T>(v, tile_groups), to = column<T>(vector + v, layer.fan_in * G) + k * G;
            for (long i = 0; i < rows; i++) {
                const long at = to + i * G;
                update<by.rule, true, T>(c, load<T>(tile + from + i * G), layer.value.W + at, layer.first.W + at, layer.second.W + at, layer.gradient.W + at);
            }
        }
    });
    if (layer.back && rule != Rule::none) refresh_back<T>(layer, k, rows, vector * lanes<T>, vectors * lanes<T>);
}

// Bias and PReLU gradients: sums over the rows of the batch, four chains at a time.
template <class T, class Row>
INLINE void update_vectors(long from, long to, long rows, Row row, Rule rule, const StepConstants<T>& c, T* value, T* first, T* second, T* gradient) {
    for (long v = from; v < to; v += 4) {
        const long n = to - v < 4 ? to - v : 4;
        Vec<T> sum[4] = {};
        if (n == 4)
            for (long r = 0; r < rows; r++)
                for (int i = 0; i < 4; i++) sum[i] = row(r, (v + i) * lanes<T>, sum[i]);
        else
            for (long i = 0; i < n; i++)
                for (long r = 0; r < rows; r++) sum[i] = row(r, (v + i) * lanes<T>, sum[i]);
        for (long i = 0; i < n; i++) {
            const long at = (v + i) * lanes<T>;
            with_rule(rule, [&](auto by) { update<by.rule, false, T>(c, sum[i], value + at, first + at, second + at, gradient + at); });
        }
    }
}

// Each unit's incoming weights back to norm `most`, for column groups [from, to).
template <class T>
void limit_norms(const Layer<T>& layer, double most, long from, long to) {
    constexpr long G = group<T>;
    for (long g = from; g < to; g++) {
        T* W = layer.value.W + g * layer.fan_in * G;
        double square[G] = {};
        for (long k = 0; k < layer.fan_in; k++)
            for (long j = 0; j < G; j++) square[j] += double(W[k * G + j]) * double(W[k * G + j]);
        bool any = false;
        T factor[G];
        for (long j = 0; j < G; j++) {
            const double norm = __builtin_sqrt(square[j]);
            factor[j] = norm > most ? T(most / norm) : T(1);
            any |= norm > most;
        }
        if (!any) continue;
        for (long k = 0; k < layer.fan_in; k++)
            for (long j = 0; j < G; j++) W[k * G + j] *= factor[j];
        if (layer.back) refresh_back<T>(layer, 0, layer.fan_in, g * G, G);
    }
}

}  // namespace
}  // namespace kilonet
