// What is watched inside networks while they train; src/kilonet/monitors.py says what the numbers mean.
//
// Sums over a layer are made in the order of docs/arithmetic.md: over inputs or rows first, then over units, in
// float64, each by one accumulator. Threads share columns and rows, never a sum.
#pragma once
#include "gradients.h"

namespace kilonet {
namespace {

// Places of the numbers of a layer; those of the first layer follow the loss of the first batch.
namespace monitor {
enum : long { first_loss = 0, dead = 0, saturated, activation_mean, positive, gradient_norm, update_ratio, weight_norm, of_layer };
}

template <class T>
INLINE bool watched(const Session<T>& s) { return s.watch_every && s.epoch % s.watch_every == 0; }

// A member's row of an epoch, and what stands there of a layer.
template <class T>
INLINE float* monitors_of(const Session<T>& s, long epoch, long m) { return s.monitors + (epoch * s.n_members + m) * s.numbers; }
template <class T>
INLINE float* monitors_of(const Session<T>& s, long epoch, long m, long layer) { return monitors_of(s, epoch, m) + 1 + layer * monitor::of_layer; }

// Columns of a layer, whole groups of them.
template <class P, class T>
INLINE long columns_of(const Layer<T>& layer) { return round_up(layer.width * P::members, P::group); }

// Squares of a step, summed over the inputs of each column: of the gradient, of what the weights changed by and of the
// weights before it. squares (3, s.columns), of which those of this layer begin here.
template <class P, class T = typename P::T>
void square_columns(const Session<T>& s, const Layer<T>& layer, long from, long to, double* squares) {
    constexpr long G = P::group;
    for (long g = from; g < to; g++) {
        const long at = layer.value.W - s.net.parameters + g * layer.groups;
        const T *now = s.net.parameters + at, *before = s.snapshot + at, *gradient = layer.gradient.W + g * layer.groups;
        double sums[3][G] = {};
        for (long k = 0; k < layer.fan_in; k++, now += G, before += G, gradient += G)
            for (long j = 0; j < G; j++) {
                const double slope = gradient[j], change = now[j] - before[j], weight = before[j];
                sums[0][j] += slope * slope;
                sums[1][j] += change * change;
                sums[2][j] += weight * weight;
            }
        for (long i = 0; i < 3; i++) __builtin_memcpy(squares + i * s.columns + g * G, sums[i], sizeof sums[i]);
    }
}

// The norms of an epoch's first step, when its update is complete; every thread takes a share of the columns.
template <class P, class T = typename P::T>
void measure_step(const Session<T>& s, int thread) {
    double* squares = s.squares;
    for (long l = 0; l < s.net.n_layers; squares += columns_of<P>(s.net.layers[l]), l++) {
        const Range<T> groups = share<T>(columns_of<P>(s.net.layers[l]) / P::group, thread, s.barrier.threads);
        square_columns<P>(s, s.net.layers[l], groups.from, groups.to, squares);
    }
}

// Norms of the layers, and the loss of the first batch, which is all that the sums hold yet.
template <class P, class T = typename P::T>
void note_step(const Session<T>& s) {
    const auto nothing = __builtin_nanf("");
    for (long m = 0; m < s.n_members; m++) {
        if (s.members[m].ended()) continue;
        const bool moved = s.sums.weight[m] > 0;  // a batch without any weight is no step
        monitors_of(s, s.epoch, m)[monitor::first_loss] = moved ? float(s.sums.loss[m] / s.sums.weight[m]) : nothing;
        const double* squares = s.squares;
        for (long l = 0; l < s.net.n_layers; squares += columns_of<P>(s.net.layers[l]), l++) {
            double sums[3] = {};
            for (long i = 0; i < 3; i++)
                for (long j = 0; j < s.net.layers[l].width; j++) sums[i] += squares[i * s.columns + j * P::members + m];
            const double change = __builtin_sqrt(sums[1]), norm = __builtin_sqrt(sums[2]);
            float* to = monitors_of(s, s.epoch, m, l);
            to[monitor::gradient_norm] = moved && s.keeps_gradient ? float(__builtin_sqrt(sums[0])) : nothing;
            to[monitor::update_ratio] = moved ? float(norm > 0 ? change / norm : change > 0 ? __builtin_inf() : 0.) : nothing;
            to[monitor::weight_norm] = float(norm);
        }
    }
}

// Whether a member is looked into at the end of the epoch that has just been completed.
INLINE bool looked_into(const Member& member, long epoch) { return !member.diverged && (!member.stopped || member.stopped == epoch); }

template <class P, class T>
INLINE long entries_of(const Layer<T>& layer) { return round_up(layer.units * P::members, group<T>); }

// The part of a layer that has a unit.
template <class T>
INLINE const Part<T>& part_of(const Layer<T>& layer, long unit) {
    const Part<T>* part = layer.parts;
    while (part->to <= unit) part++;
    return *part;
}

// What has fired before any row was seen: units that have a slope everywhere, and what is no unit of a member of ours.
template <class P, class T = typename P::T>
void begin_looking(const Session<T>& s, T* fired) {
    for (long l = 0; l + 1 < s.net.n_layers; fired += entries_of<P>(s.net.layers[l]), l++) {
        const Layer<T>& layer = s.net.layers[l];
        for (long j = 0; j < entries_of<P>(layer); j++) {
            const long m = j % P::members;
            const bool ours = j < layer.units * P::members && m < s.n_members && looked_into(s.members[m], s.epoch);
            const Unit unit = ours ? part_of(layer, j / P::members).unit : Unit::identity;
            fired[j] = T(unit == Unit::identity || unit == Unit::maxout);
        }
    }
}

// Weighted sums of the units of one part in a vector to outputs, and a mark for those that some row gives a slope.
template <class P, Unit u, class T = typename P::T>
INLINE void notice(const Layer<T>& layer, const Part<T>& part, long vector, long from, long to, T* fired) {
    const long j = vector * lanes<T>;
    const Vec<T> zero{}, one = all<T>(1);
    const Vec<T> c = u == Unit::prelu ? load<T>(layer.value.alpha + j) : all<T>(part.constant);
    const Mask<T> ours = lanes_before<T>(part.to * P::members - j) & ~lanes_before<T>(part.from * P::members - j);
    const Vec<T> known = load<T>(fired + j);
    Mask<T> on = known != zero;
    for (long row = from; row < to; row++) {
        T* const out = layer.out + row * layer.unit_stride + j;
        const Vec<T> z = load<T>(layer.before + row * layer.width_stride + j);  // of a layer of ReLUs what they put out
        const Point<T> at = unit_at<u, T>(z, c);
        on |= at.slope != zero;
        store<T>(out, ours ? at.value : load<T>(out));
    }
    store<T>(fired + j, ours ? (on ? one : zero) : known);
}

// Some vectors of a layer on the buffers' rows [from, to).
template <class P, class T = typename P::T>
void look_at(const Net<T>& net, const Layer<T>& layer, Inputs<T> first, long from, long to, long vector, long vectors, T* fired) {
    weigh<P>(net, layer, first, from, to, vector, vectors);
    if (layer.unit == Unit::identity) return;
    for (const Part<T>* part = layer.parts; part < layer.parts + layer.n_parts; part++)
        with_unit(part->unit, [&](auto is) {
            if constexpr (is.unit == Unit::maxout) {
                for (long row = from; row < to; row++) activate_part<P, Unit::maxout, false>(layer, *part, row);
                return;
            }
            const long begin = part->from * P::members / lanes<T>, end = (part->to * P::members + lanes<T> - 1) / lanes<T>;
            for (long v = begin > vector ? begin : vector; v < end && v < vector + vectors; v++)
                notice<P, is.unit>(layer, *part, v, from, to, fired);
        });
}

template <class T>
INLINE bool all_fired(const T* fired) { return !any_lane<T>(load<T>(fired) == Vec<T>{}); }

// Inputs (of buffer row `from`) through the layers up to the last that is of interest. In that one, only vectors with
// a unit that has not fired, unless all are asked for.
template <class P, class T = typename P::T>
void look_through(const Net<T>& net, Inputs<T> first, long from, long to, long last, bool everything, T* fired) {
    if (from == to) return;
    for (long l = 0; l <= last; fired += entries_of<P>(net.layers[l]), l++) {
        const Layer<T>& layer = net.layers[l];
        const long vectors = P::vectors(layer.width);
        if (everything || l < last) look_at<P>(net, layer, first, from, to, 0, vectors, fired);
        else
            for (long v = 0; v < vectors; v++)  // of maxout, which has more vectors than units, nobody is looked for
                if (!all_fired<T>(fired + v * lanes<T>)) look_at<P>(net, layer, first, from, to, v, 1, fired);
    }
}

// What threads have seen, brought together; gives whether there was anything new, and notes the last layer that still
// has a unit to be seen.
template <class P, class T = typename P::T>
bool agree(Session<T>& s) {
    T* const whole = s.fired;
    bool news = false;
    s.looking_at = -1;
    long at = 0;
    for (long l = 0; l + 1 < s.net.n_layers; l++)
        for (const long end = at + entries_of<P>(s.net.layers[l]); at < end; at += lanes<T>) {
            const Vec<T> known = load<T>(s.fired_before + at);
            Vec<T> now = load<T>(whole + at);
            for (int t = 1; t < s.barrier.threads; t++) now += load<T>(whole + t * s.fired_size + at);
            now = now != Vec<T>{} ? all<T>(1) : Vec<T>{};
            news |= any_lane<T>(now != known);
            store<T>(s.fired_before + at, now);
            for (int t = 0; t < s.barrier.threads; t++) store<T>(whole + t * s.fired_size + at, now);
            if (!all_fired<T>(whole + at)) s.looking_at = l;
        }
    return news;
}

// Beyond which a unit's outputs are saturated.
template <class T>
struct Bounds {
    T high = T(__builtin_inf()), low = -high;
    explicit Bounds(Unit unit) {
        if (unit == Unit::tanh) low = -(high = T(0.97));
        if (unit == Unit::sigmoid) { high = T(0.985); low = T(1 - 0.985); }
    }
};

// How many units of a layer have two bounds.
template <class T>
INLINE long bounded_units(const Layer<T>& layer) {
    long n = 0;
    for (const Part<T>* part = layer.parts; part < layer.parts + layer.n_parts; part++)
        if (part->unit == Unit::tanh || part->unit == Unit::sigmoid) n += part->to - part->from;
    return n;
}

// Outputs of the sample, which still lie in the buffers: their mean, how many are above zero, how many are saturated.
template <class P, class T = typename P::T>
void describe_outputs(const Session<T>& s, long l, long rows) {
    const Layer<T>& layer = s.net.layers[l];
    const long bounded = bounded_units(layer);
    double sum[most_lanes] = {}, positive[most_lanes] = {}, saturated[most_lanes] = {};
    for (long j = 0; j < layer.units * P::members; j += lanes<T>) {
        double sums[lanes<T>] = {};
        T highest[lanes<T>], lowest[lanes<T>];
        for (long i = 0; i < lanes<T>; i++) {
            const long unit = (j + i) / P::members;
            const Bounds<T> own(unit < layer.units ? part_of(layer, unit).unit : Unit::identity);
            highest[i] = own.high;
            lowest[i] = own.low;
        }
        const Vec<T> high = load<T>(highest), low = load<T>(lowest);
        Vec<T> above{}, beyond{};
        const Vec<T> one = all<T>(1), zero{};
        for (long row = 0; row < rows; row++) {
            const T* out = layer.out + row * layer.unit_stride + j;
            const Vec<T> a = load<T>(out);
            for (long i = 0; i < lanes<T>; i++) sums[i] += double(out[i]);
            above += a > zero ? one : zero;
            if (bounded) beyond += (a > high) | (a < low) ? one : zero;
        }
        for (long i = 0; i < lanes<T> && j + i < layer.units * P::members; i++) {
            const long m = P::networks ? i : 0;
            sum[m] += sums[i];
            positive[m] += double(above[i]);
            saturated[m] += double(beyond[i]);
        }
    }
    for (long m = 0; m < s.n_members; m++) {
        if (!looked_into(s.members[m], s.epoch)) continue;
        float* to = monitors_of(s, s.epoch - 1, m, l);
        const double outputs = double(rows * layer.units);
        to[monitor::activation_mean] = float(sum[m] / outputs);
        to[monitor::positive] = float(positive[m] / outputs);
        to[monitor::saturated] = bounded ? float(saturated[m] / double(rows * bounded)) : __builtin_nanf("");
    }
}

template <class P, class T = typename P::T>
void count_dead(const Session<T>& s) {
    const T* fired = s.fired;
    for (long l = 0; l + 1 < s.net.n_layers; fired += entries_of<P>(s.net.layers[l]), l++)
        for (long m = 0; m < s.n_members; m++) {
            if (!looked_into(s.members[m], s.epoch)) continue;
            long dead = 0;
            for (long j = 0; j < s.net.layers[l].units; j++) dead += fired[j * P::members + m] == 0;
            monitors_of(s, s.epoch - 1, m, l)[monitor::dead] = float(double(dead) / double(s.net.layers[l].units));
        }
}

// Rows of one block in the order of the data: those of this thread's share, and where they begin.
template <class P, class T = typename P::T>
void look_at_block(const Session<T>& s, long block, int thread, T* fired) {
    const Net<T>& net = s.net;
    const long first = block * sample_rows, n = s.train.rows - first < sample_rows ? s.train.rows - first : sample_rows;
    const Range<T> own = share<T>(n, thread, s.barrier.threads);
    look_through<P>(net, in_order<P>(net, s.train, own.from, own.to, first + own.from), own.from, own.to, s.looking_at, false, fired);
}

// What the outputs tell at the end of an epoch. A sample of rows shows nearly all units at work; for the others one
// block of rows after another is visited, first those in which a rare unit was found the last time.
template <class P, class T = typename P::T>
void look_inside(Session<T>& s, int thread) {
    const Net<T>& net = s.net;
    bool any = false;
    for (long m = 0; m < s.n_members; m++) any |= looked_into(s.members[m], s.epoch);
    if (net.n_layers == 1 || !any) return;
    T* const fired = s.fired + thread * s.fired_size;
    begin_looking<P>(s, fired);
    if (thread == 0) __builtin_memcpy(s.fired_before, fired, s.fired_size * sizeof(T));
    const long n = s.train.rows < sample_rows ? s.train.rows : sample_rows;
    const Range<T> own = share<T>(n, thread, s.barrier.threads);
    const Inputs<T> in = gather<P>(net, s.train, own.from, own.to, [&](long i) { return long(s.rows[i]); });
    look_through<P>(net, in, own.from, own.to, net.n_layers - 2, true, fired);
    meet(s.barrier);
    if (thread == 0) {
        for (long l = 0; l + 1 < net.n_layers; l++) describe_outputs<P>(s, l, n);
        agree<P>(s);
    }
    meet(s.barrier);
    enum : std::uint8_t { was_rare = 1, is_rare = 2 };
    const long blocks = (s.train.rows + sample_rows - 1) / sample_rows;
    for (int round = 0; round < 2; round++)
        for (long block = 0; block < blocks && s.looking_at >= 0; block++) {
            if (bool(s.blocks[block] & was_rare) != (round == 0)) continue;
            look_at_block<P>(s, block, thread, fired);
            meet(s.barrier);
            if (thread == 0 && agree<P>(s)) s.blocks[block] |= is_rare;
            meet(s.barrier);
        }
    meet(s.barrier);  // everybody has read which blocks were rare
    if (thread) return;
    count_dead<P>(s);
    for (long block = 0; block < blocks; block++) s.blocks[block] >>= 1;
}

}  // namespace
}  // namespace kilonet
