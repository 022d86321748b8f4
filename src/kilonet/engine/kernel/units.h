// Units: value and local slope side by side, and the passes over a layer's rows that use them.
#pragma once
#include "random.h"

namespace kilonet {
namespace {

template <Unit u> struct Is { static constexpr Unit unit = u; };

// Calls f(Is<unit>{}) so that each unit gets code of its own.
template <class F>
INLINE void with_unit(Unit unit, F f) {
    switch (unit) {
        case Unit::identity: f(Is<Unit::identity>{}); break;
        case Unit::sigmoid: f(Is<Unit::sigmoid>{}); break;
        case Unit::tanh: f(Is<Unit::tanh>{}); break;
        case Unit::relu: f(Is<Unit::relu>{}); break;
        case Unit::leaky_relu: f(Is<Unit::leaky_relu>{}); break;
        case Unit::prelu: f(Is<Unit::prelu>{}); break;
        case Unit::elu: f(Is<Unit::elu>{}); break;
        case Unit::selu: f(Is<Unit::selu>{}); break;
        case Unit::gelu: f(Is<Unit::gelu>{}); break;
        case Unit::silu: f(Is<Unit::silu>{}); break;
        case Unit::mish: f(Is<Unit::mish>{}); break;
        case Unit::softplus: f(Is<Unit::softplus>{}); break;
        case Unit::maxout: f(Is<Unit::maxout>{}); break;
        case Unit::mixed: break;  // its parts have units
    }
}

template <class T> struct Point { Vec<T> value, slope; };

// c is alpha of leaky_relu, elu and (one per unit) prelu. At a kink the slope is the left one.
template <Unit u, class T>
INLINE Point<T> unit_at(Vec<T> z, Vec<T> c) {
    const Vec<T> one = all<T>(1), zero{};
    if constexpr (u == Unit::sigmoid) {
        const Vec<T> a = sigmoid<T>(z);
        return {a, a * (one - a)};
    } else if constexpr (u == Unit::tanh) {
        const Vec<T> a = tanh<T>(z);
        return {a, one - a * a};
    } else if constexpr (u == Unit::relu) {
        return {z <= zero ? zero : z, z > zero ? one : zero};  // a NaN stays one; value: see finish_tile
    } else if constexpr (u == Unit::leaky_relu || u == Unit::prelu) {
        return {z > zero ? z : c * z, z > zero ? one : c};
    } else if constexpr (u == Unit::elu || u == Unit::selu) {
        constexpr bool self_normalizing = u == Unit::selu;
        const Vec<T> scale = self_normalizing ? all<T>(T(1.0507009873554805)) : one;
        const Vec<T> alpha = self_normalizing ? all<T>(T(1.0507009873554805 * 1.6732632423543772)) : c;
        const Vec<T> below = alpha * expm1_negative<T>(z > zero ? zero : z);
        return {z > zero ? scale * z : below, z > zero ? scale : below + alpha};
    } else if constexpr (u == Unit::gelu) {
        const Vec<T> normal = fma(erf<T>(z * T(0.7071067811865476)), all<T>(0.5), all<T>(0.5));
        const Vec<T> density = exp<T>(z * z * T(-0.5)) * T(0.3989422804014327);
        const Vec<T> held = density == zero ? zero : z;  // z may be so large that z * density is inf * 0
        return {z * normal, fma(held, density, normal)};
    } else if constexpr (u == Unit::silu) {
        const Vec<T> s = sigmoid<T>(z);
        return {z * s, s * fma(z, one - s, one)};
    } else if constexpr (u == Unit::mish) {
        const Vec<T> s = sigmoid<T>(z), t = tanh<T>((z > zero ? z : zero) + log1p<T>(exp<T>(-absolute<T>(z))));
        return {z * t, fma(z * s, fma(-t, t, one), t)};
    } else if constexpr (u == Unit::softplus) {
        return {(z > zero ? z : zero) + log1p<T>(exp<T>(-absolute<T>(z))), sigmoid<T>(z)};
    } else {
        return {z, one};
    }
}

struct Dropout {
    std::uint32_t step;
    Key key;
    std::uint32_t* words;
};

// A row's entries [from, to) of one part of a layer. Slope and negative part are kept only where the way back cannot
// tell them from `out`.
template <class P, Unit u, bool keep, class T = typename P::T>
INLINE void activate_row(const Layer<T>& layer, T constant, long row, long from, long to) {
    constexpr long M = P::members;
    const T* before = layer.before + row * layer.width_stride;
    T* out = layer.out + row * layer.unit_stride;
    [[maybe_unused]] T* slope = layer.slope + row * layer.unit_stride;
    for (long j = from; j < to; j += lanes<T>) {
        if constexpr (u == Unit::maxout) {
            Vec<T> a = load<T>(before + j);
            for (long p = 1; p < layer.pieces; p++) {
                const Vec<T> z = load<T>(before + p * layer.units * M + j);
                a = z > a ? z : a;
                a = z != z ? z : a;  // a NaN must not hide behind a comparison
            }
            store<T>(out + j, a);
            if constexpr (keep) store<T>(slope + j, all<T>(1));
        } else {
            const Vec<T> z = load<T>(before + j);
            const Vec<T> c = u == Unit::prelu ? load<T>(layer.value.alpha + j) : all<T>(constant);
            const Point<T> at = unit_at<u, T>(z, c);
            store<T>(out + j, at.value);
            if constexpr (keep) store<T>(slope + j, at.slope);
            if constexpr (keep && u == Unit::prelu) store<T>(layer.negative + row * layer.unit_stride + j, z < 0 ? z : Vec<T>{});
        }
    }
}

// The lanes of a vector that come before the n-th.
template <class T>
INLINE Mask<T> lanes_before(long n) {
    T number[lanes<T>];
    for (long i = 0; i < lanes<T>; i++) number[i] = T(i);
    return load<T>(number) < all<T>(T(n));
}

// One part of a layer on a row. Where it begins inside a vector, the units before it keep what their part has put there.
template <class P, Unit u, bool keep, class T = typename P::T>
INLINE void activate_part(const Layer<T>& layer, const Part<T>& part, long row) {
    const long begin = part.from * P::members, end = part.to * P::members, at = row * layer.unit_stride;
    long from = P::networks ? begin : begin / lanes<T> * lanes<T>;
    if (from < begin) {
        const Mask<T> others = lanes_before<T>(begin - from);
        T *const out = layer.out + at + from, *const slope = keep ? layer.slope + at + from : out;
        const Vec<T> known = load<T>(out), steep = load<T>(slope);
        activate_row<P, u, keep>(layer, part.constant, row, from, from + lanes<T>);
        store<T>(out, others ? known : load<T>(out));
        if constexpr (keep) store<T>(slope, others ? steep : load<T>(slope));
        from += lanes<T>;
    }
    activate_row<P, u, keep>(layer, part.constant, row, from, end);
}

template <class P, class T = typename P::T>
void drop(const Net<T>& net, long index, long from, long to, const Dropout& dropout) {
    const Layer<T>& layer = net.layers[index];
    const long entries = layer.units * P::members, width = round_up(entries, 16);
    const Vec<T> keep = load<T>(net.keep.at);
    for (long row = from; row < to; row++) {
        if (row == from || row % 8 == 0)
            draw<P>(dropout.words, width, layer.units, std::uint32_t(row / 8), dropout.step, stream_dropout + 256 * std::uint32_t(index), dropout.key);
        const long at = row * layer.unit_stride;
        for (long j = 0; j < entries; j += lanes<T>) {
            const Vec<T> factor = dropout_factor<T>(dropout.words + j, width, row, net.threshold, keep);
            store<T>(layer.out + at + j, load<T>(layer.out + at + j) * factor);
            if (layer.slope) store<T>(layer.slope + at + j, load<T>(layer.slope + at + j) * factor);
            if (layer.negative) store<T>(layer.negative + at + j, load<T>(layer.negative + at + j) * factor);
        }
    }
}

// dropout: null where nothing is learned from this pass.
template <class P, class T = typename P::T>
void activate(const Net<T>& net, long index, long from, long to, const Dropout* dropout) {
    const Layer<T>& layer = net.layers[index];
    if (layer.slope || (layer.unit != Unit::identity && layer.unit != Unit::relu))  // ReLU has been worked out with the sums
        for (const Part<T>* part = layer.parts; part < layer.parts + layer.n_parts; part++)
            with_unit(part->unit, [&](auto is) {
                if (dropout && layer.slope)
                    for (long row = from; row < to; row++) activate_part<P, is.unit, true>(layer, *part, row);
                else
                    for (long row = from; row < to; row++) activate_part<P, is.unit, false>(layer, *part, row);
            });
    if (dropout && layer.drops) drop<P>(net, index, from, to, *dropout);
}

// incoming (derivative by `out`) to delta (derivative by `before`).
template <class P, class T = typename P::T>
void unit_back(const Net<T>& net, long index, long from, long to) {
    const Layer<T>& layer = net.layers[index];
    const long units = layer.units * P::members;
    if (layer.unit == Unit::relu && index + 1 < net.n_layers) return;  // gated with the sums
    if (layer.unit == Unit::identity && !layer.slope) return;  // delta is incoming
    for (long row = from; row < to; row++) {
        const long at = row * layer.unit_stride;
        const T *incoming = layer.incoming + at, *out = layer.out + at, *slope = layer.slope ? layer.slope + at : nullptr;
        T* delta = layer.delta + row * layer.width_stride;
        if (layer.unit == Unit::maxout) {
            const T* before = layer.before + row * layer.width_stride;
            for (long p = 0; p < layer.pieces; p++)
                for (long j = 0; j < units; j += lanes<T>) {
                    const Vec<T> z = load<T>(before + p * units + j), e = load<T>(incoming + j) * load<T>(slope + j);
                    Mask<T> wins = z == z;
                    for (long q = 0; q < layer.pieces; q++) {
                        const Vec<T> other = load<T>(before + q * units + j);
                        wins &= q < p ? z > other : z >= other;  // the first of equal pieces
                    }
                    store<T>(delta + p * units + j, wins ? e : Vec<T>{});
                }
            for (long j = layer.pieces * units; j < layer.width_stride; j++) delta[j] = 0;
        } else if (slope) {
            for (long j = 0; j < units; j += lanes<T>) store<T>(delta + j, load<T>(incoming + j) * load<T>(slope + j));
        } else if (layer.unit == Unit::relu) {  // of the output layer
            for (long j = 0; j < units; j += lanes<T>) store<T>(delta + j, load<T>(out + j) > 0 ? load<T>(incoming + j) : Vec<T>{});
        } else {  // sigmoid and tanh, whose slopes follow from their values
            for (long j = 0; j < units; j += lanes<T>) {
                const Vec<T> a = load<T>(out + j), one = all<T>(1);
                const Vec<T> s = layer.unit == Unit::sigmoid ? a * (one - a) : one - a * a;
                store<T>(delta + j, load<T>(incoming + j) * s);
            }
        }
    }
}

}  // namespace
}  // namespace kilonet
