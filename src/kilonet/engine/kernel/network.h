// A network, or a pack of them, in the kernel's layout: the memory, and the way to and from flat vectors theta.
#pragma once
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <vector>

#include "plan.h"

namespace kilonet {

// Blocks of zeros, aligned to a cache line, freed together. The system gives large ones zeroed: what nobody touches takes
// no memory.
class Arena {
public:
    Arena() = default;
    Arena(const Arena&) = delete;
    Arena& operator=(const Arena&) = delete;

    template <class T>
    T* take(long n) {
        const std::size_t bytes = std::size_t(n) * sizeof(T) + 64;
        std::size_t space = bytes + 64;
        void* block = std::calloc(space, 1);
        if (!block) throw std::bad_alloc();
        blocks.emplace_back(block, std::free);
        return static_cast<T*>(std::align(64, bytes, block, space));
    }
    void clear() { blocks.clear(); }

private:
    std::vector<std::unique_ptr<void, void (*)(void*)>> blocks;
};

// Cuts a block of memory into buffers; without a block it only counts what they need.
class Cutter {
public:
    explicit Cutter(void* block = nullptr) : block(static_cast<char*>(block)) {}

    template <class T>
    T* take(long n) {
        char* const piece = block ? block + used : nullptr;
        used += round_up(n * long(sizeof(T)) + 64, 64);
        return reinterpret_cast<T*>(piece);
    }

    long used = 0;

private:
    char* block;
};

struct LayerSpec {
    long units, pieces;
    Unit unit;
    double constant;  // of leaky_relu, elu, prelu
    bool drops;       // whether any member has dropout on its outputs
};

enum class Purpose { predict, train };

template <class T>
class Network {
public:
    Net<T> net;

    // lanes: of the instruction set; a pack has as many members.
    Network(long n_inputs, const std::vector<LayerSpec>& specs, Packing packing, long lanes, Purpose purpose)
        : packing(packing), purpose(purpose), layers(specs.size()) {
        net.n_inputs = n_inputs;
        net.n_outputs = specs.back().units;
        net.n_layers = long(specs.size());
        net.members = packing == Packing::networks ? lanes : 1;
        net.layers = layers.data();
        group = packing == Packing::networks ? lanes : kilonet::group<T>;
        describe(specs);
        net.n_packed = packed_size();
        net.parameters = block(&Layer<T>::value);
        if (purpose == Purpose::train && packing == Packing::columns)
            for (std::size_t l = 1; l < layers.size(); l++)
                layers[l].back = arena.take<T>(round_up(layers[l].fan_in, group) * layers[l].width);
    }

    // Cuts the buffers for so many rows at a time. They hold nothing from one step to the next.
    // rows: of a block of a gradient; own: whether members have inputs of their own.
    void place(Cutter& cutter, long capacity, long rows, int threads, bool own, bool gradient) {
        net.capacity = capacity;
        for (auto& layer : layers) place(layer, cutter);
        net.input_stride = row_stride<T>(net.n_inputs);
        net.input = cutter.take<T>(capacity * net.input_stride);
        net.own_stride = row_stride<T>(net.n_inputs * net.members);
        net.own_input = own && packing == Packing::networks ? cutter.take<T>(capacity * net.own_stride) : nullptr;
        net.across_stride = row_stride<T>(rows);
        const bool across = purpose == Purpose::train && packing == Packing::columns && has_wide_layer();
        net.across = across ? cutter.take<T>((widest(net) + threads) * net.across_stride) : nullptr;
        net.scratch_size = scratch_tile + scratch_panel + 3 * most_lanes * items_together(net.n_outputs) * net.n_outputs + 4 * widest(net);
        net.scratch = cutter.take<T>(net.scratch_size * threads);
        net.zeros = cutter.take<T>(widest(net));
        if (net.zeros) std::memset(net.zeros, 0, widest(net) * sizeof(T));
        if (gradient) spread(&Layer<T>::gradient, cutter.take<T>(net.n_packed));
        else alias(&Layer<T>::gradient);
    }

    // A further value for every parameter, all in one block of zeros.
    T* block(Tensors<T> Layer<T>::*member) {
        T* const start = arena.take<T>(net.n_packed);
        spread(member, start);
        return start;
    }

    // Another name of the parameters themselves: kernels compute addresses into every tensor, but read and
    // write only those that their rule has.
    void alias(Tensors<T> Layer<T>::*member) {
        for (auto& layer : layers) layer.*member = layer.value;
    }

    template <class E = T>
    E* take(long n) { return arena.take<E>(n); }

    long n_parameters() const {
        long n = 0;
        for (const auto& layer : layers) n += layer.width * (layer.fan_in + 1) + (layer.unit == Unit::prelu ? layer.units : 0);
        return n;
    }

    // One member's theta, layer by layer: W row by row, b, alpha.
    void pack(const T* theta, Tensors<T> Layer<T>::*member, long m) {
        each(member, m, [&](T& place) { place = *theta++; });
    }
    void unpack(Tensors<T> Layer<T>::*member, long m, T* theta) {
        each(member, m, [&](T& place) { *theta++ = place; });
    }

    void refresh_back() {
        constexpr long G = kilonet::group<T>;
        for (auto& layer : layers) {
            if (!layer.back) continue;
            for (long j = 0; j < layer.width; j++)
                for (long k = 0; k < layer.fan_in; k++)
                    layer.back[k / G * layer.width * G + j * G + k % G] = layer.value.W[j / G * layer.groups + k * G + j % G];
        }
    }

private:
    Packing packing;
    Purpose purpose;
    long group;
    std::vector<Layer<T>> layers;
    Arena arena;

    void describe(const std::vector<LayerSpec>& specs) {
        long fan_in = net.n_inputs;
        for (std::size_t l = 0; l < specs.size(); l++) {
            Layer<T>& layer = layers[l];
            layer.fan_in = fan_in;
            layer.units = specs[l].units;
            layer.pieces = specs[l].pieces;
            layer.width = layer.units * layer.pieces;
            layer.unit = specs[l].unit;
            layer.constant = T(specs[l].constant);
            layer.drops = specs[l].drops;
            // A pack reads down the units on the way back, where a regular distance would meet the same sets of the cache.
            layer.groups = packing == Packing::networks ? row_stride<T>(fan_in * group) : fan_in * group;
            // the last piece of maxout is stored by whole vectors from an unaligned place
            layer.width_stride = row_stride<T>(layer.width * net.members + (layer.pieces > 1 ? kilonet::group<T> : 0));
            layer.unit_stride = row_stride<T>(layer.units * net.members);
            fan_in = layer.units;
        }
    }

    long padded(long columns) const { return round_up(columns * net.members, group); }
    long weights(const Layer<T>& layer) const { return padded(layer.width) / group * layer.groups; }

    long packed_size() const {
        long n = 0;
        for (const auto& layer : layers)
            n += round_up(weights(layer) + padded(layer.width) + (layer.unit == Unit::prelu ? padded(layer.units) : 0), kilonet::group<T>);
        return n;
    }

    void spread(Tensors<T> Layer<T>::*member, T* at) {
        for (auto& layer : layers) {
            Tensors<T>& t = layer.*member;
            T* const start = at;
            t.W = at;
            at += weights(layer);
            t.b = at;
            at += padded(layer.width);
            if (layer.unit == Unit::prelu) { t.alpha = at; at += padded(layer.units); }
            at = start + round_up(at - start, kilonet::group<T>);
        }
    }

    // Every parameter of a member in the order of theta.
    template <class Visit>
    void each(Tensors<T> Layer<T>::*member, long m, Visit visit) {
        const long members = net.members;
        for (auto& layer : layers) {
            Tensors<T>& t = layer.*member;
            for (long j = 0; j < layer.width; j++) {
                const long column = j * members + m;
                T* W = t.W + column / group * layer.groups + column % group;
                for (long k = 0; k < layer.fan_in; k++) visit(W[k * group]);
            }
            for (long j = 0; j < layer.width; j++) visit(t.b[j * members + m]);
            for (long j = 0; layer.unit == Unit::prelu && j < layer.units; j++) visit(t.alpha[j * members + m]);
        }
    }

    bool has_wide_layer() const {
        return std::any_of(layers.begin(), layers.end(), [](const Layer<T>& layer) { return layer.width >= wide; });
    }

    void place(Layer<T>& layer, Cutter& cutter) {
        const bool maxout = layer.unit == Unit::maxout, prelu = layer.unit == Unit::prelu;
        const long units = net.capacity * layer.unit_stride, width = net.capacity * layer.width_stride;
        layer.out = cutter.take<T>(units);
        layer.before = maxout ? cutter.take<T>(width) : layer.out;
        if (purpose == Purpose::predict) return;
        const bool told_by_out = layer.unit == Unit::relu || (!layer.drops && (layer.unit == Unit::identity || layer.unit == Unit::sigmoid || layer.unit == Unit::tanh));
        if (!told_by_out) layer.slope = cutter.take<T>(units);
        if (prelu) layer.negative = cutter.take<T>(units);
        layer.incoming = cutter.take<T>(units);
        layer.delta = maxout || prelu ? cutter.take<T>(width) : layer.incoming;
    }
};

}  // namespace kilonet
