// A network in the kernel's layout: the memory, and the way to and from the flat vector theta.
#pragma once
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <vector>

#include "plan.h"

namespace kilonet {

// Blocks of zeros, aligned to a cache line, freed together.
class Arena {
public:
    Arena() = default;
    Arena(const Arena&) = delete;
    Arena& operator=(const Arena&) = delete;

    template <class T>
    T* take(long n) {
        const std::size_t bytes = round_up(std::size_t(n) * sizeof(T) + 64, 64);
        void* block = std::aligned_alloc(64, bytes);
        if (!block) throw std::bad_alloc();
        blocks.emplace_back(block, std::free);
        std::memset(block, 0, bytes);
        return static_cast<T*>(block);
    }

private:
    std::vector<std::unique_ptr<void, void (*)(void*)>> blocks;
};

struct LayerSpec {
    long units, pieces;
    Unit unit;
    double constant;          // of leaky_relu, elu, prelu
    std::uint32_t threshold;  // of dropout, of 65,536
};

enum class Purpose { predict, train };

template <class T>
class Network {
public:
    Net<T> net;

    Network(long n_inputs, const std::vector<LayerSpec>& specs, long capacity, int threads, Purpose purpose)
        : layers(specs.size()) {
        net.n_inputs = n_inputs;
        net.n_outputs = specs.back().units;
        net.n_layers = long(specs.size());
        net.capacity = capacity;
        net.layers = layers.data();
        describe(specs);
        net.parameters = block(&Layer<T>::value);
        if (purpose == Purpose::train)
            for (std::size_t l = 1; l < layers.size(); l++)
                layers[l].back = arena.take<T>(round_up(layers[l].fan_in, group<T>) * layers[l].width);
        for (auto& layer : layers) buffers(layer, purpose);
        net.input_stride = row_stride<T>(n_inputs);
        net.input = arena.take<T>(capacity * net.input_stride);
        if (purpose == Purpose::train) {
            net.across_stride = row_stride<T>(capacity < row_block ? capacity : row_block);
            net.across = arena.take<T>(has_wide_layer() ? (widest() + threads) * net.across_stride : 0);
        }
        net.scratch_size = scratch_tile + scratch_panel + 3 * 16 * net.n_outputs + 5 * widest();
        net.scratch = arena.take<T>(net.scratch_size * threads);
        net.zeros = arena.take<T>(widest());
    }

    // A further value for every parameter, all in one block.
    T* block(Tensors<T> Layer<T>::*member) {
        T* const start = arena.take<T>(packed_size());
        T* at = start;
        for (auto& layer : layers) {
            Tensors<T>& t = layer.*member;
            t.W = at;
            at += round_up(layer.width, group<T>) * layer.fan_in;
            t.b = at;
            at += round_up(layer.width, group<T>);
            if (layer.unit == Unit::prelu) { t.alpha = at; at += round_up(layer.units, group<T>); }
        }
        net.n_packed = at - start;
        return start;
    }

    // The same, or where it is not wanted, another name of the parameters themselves: kernels compute
    // addresses into every tensor, but read and write only those that their rule has.
    void extend(Tensors<T> Layer<T>::*member, bool wanted) {
        if (wanted) block(member);
        else for (auto& layer : layers) layer.*member = layer.value;
    }

    template <class E = T>
    E* take(long n) { return arena.take<E>(n); }

    long n_parameters() const {
        long n = 0;
        for (const auto& layer : layers) n += layer.width * (layer.fan_in + 1) + (layer.unit == Unit::prelu ? layer.units : 0);
        return n;
    }

    // theta, layer by layer: W row by row, b, alpha.
    void pack(const T* theta, Tensors<T> Layer<T>::*member) {
        constexpr long G = group<T>;
        for (auto& layer : layers) {
            Tensors<T>& t = layer.*member;
            for (long g = 0; g < layer.width; g += G) {
                const long columns = layer.width - g < G ? layer.width - g : G;
                T* W = t.W + g * layer.fan_in;
                for (long k = 0; k < layer.fan_in; k++)
                    for (long j = 0; j < columns; j++) W[k * G + j] = theta[(g + j) * layer.fan_in + k];
            }
            theta += layer.width * layer.fan_in;
            std::memcpy(t.b, theta, layer.width * sizeof(T));
            theta += layer.width;
            if (t.alpha) { std::memcpy(t.alpha, theta, layer.units * sizeof(T)); theta += layer.units; }
        }
    }

    void unpack(Tensors<T> Layer<T>::*member, T* theta) const {
        constexpr long G = group<T>;
        for (const auto& layer : layers) {
            const Tensors<T>& t = layer.*member;
            for (long j = 0; j < layer.width; j++) {
                const T* W = t.W + j / G * G * layer.fan_in + j % G;
                for (long k = 0; k < layer.fan_in; k++) *theta++ = W[k * G];
            }
            std::memcpy(theta, t.b, layer.width * sizeof(T));
            theta += layer.width;
            if (t.alpha) { std::memcpy(theta, t.alpha, layer.units * sizeof(T)); theta += layer.units; }
        }
    }

    void refresh_back() {
        constexpr long G = group<T>;
        for (auto& layer : layers) {
            if (!layer.back) continue;
            for (long j = 0; j < layer.width; j++)
                for (long k = 0; k < layer.fan_in; k++)
                    layer.back[k / G * layer.width * G + j * G + k % G] = layer.value.W[j / G * G * layer.fan_in + k * G + j % G];
        }
    }

private:
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
            layer.threshold = specs[l].threshold;
            layer.keep = T(layer.threshold ? 65536. / (65536. - layer.threshold) : 1.);
            // the last piece of maxout is stored by whole vectors from an unaligned place
            layer.width_stride = row_stride<T>(layer.width + (layer.pieces > 1 ? group<T> : 0));
            layer.unit_stride = row_stride<T>(layer.units);
            fan_in = layer.units;
        }
    }

    long packed_size() const {
        long n = 0;
        for (const auto& layer : layers)
            n += round_up(layer.width, group<T>) * (layer.fan_in + 1) + (layer.unit == Unit::prelu ? round_up(layer.units, group<T>) : 0);
        return n;
    }

    long widest() const {
        long n = net.n_inputs;
        for (const auto& layer : layers) n = layer.width > n ? layer.width : n;
        return round_up(n, 16) + 16;
    }

    bool has_wide_layer() const {
        for (const auto& layer : layers)
            if (layer.width >= wide) return true;
        return false;
    }

    void buffers(Layer<T>& layer, Purpose purpose) {
        const bool maxout = layer.unit == Unit::maxout, prelu = layer.unit == Unit::prelu;
        const long units = net.capacity * layer.unit_stride, width = net.capacity * layer.width_stride;
        layer.out = arena.take<T>(units);
        layer.before = maxout ? arena.take<T>(width) : layer.out;
        if (purpose == Purpose::predict) return;
        const bool told_by_out = layer.unit == Unit::relu || (!layer.threshold && (layer.unit == Unit::identity || layer.unit == Unit::sigmoid || layer.unit == Unit::tanh));
        if (!told_by_out) layer.slope = arena.take<T>(units);
        if (prelu) layer.negative = arena.take<T>(units);
        layer.incoming = arena.take<T>(units);
        layer.delta = maxout || prelu ? arena.take<T>(width) : layer.incoming;
    }
};

}  // namespace kilonet
