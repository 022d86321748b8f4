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

struct UnitSpec { Unit unit; double constant; long units; };  // constant: of leaky_relu, elu, prelu; units: so many of them

struct LayerSpec {
    long units, pieces;
    std::vector<UnitSpec> parts;
    std::vector<long> sources;  // -1: the inputs of the network; others are places, all before this one
    long owner;                 // the place whose parameters it has; theta has those of owners, one after another
    bool drops = false;         // whether any member has dropout on its outputs
};

enum class Purpose { predict, train };

template <class T>
class Network {
public:
    Net<T> net;

    // lanes: of the instruction set; a pack has as many members.
    Network(long n_inputs, const std::vector<LayerSpec>& specs, Packing packing, long lanes, Purpose purpose)
        : packing(packing), purpose(purpose), layers(specs.size()), parts(specs.size()), sources(specs.size()) {
        net.n_inputs = n_inputs;
        net.n_outputs = specs.back().units;
        net.n_layers = long(specs.size());
        net.members = packing == Packing::networks ? lanes : 1;
        net.layers = layers.data();
        group = packing == Packing::networks ? lanes : kilonet::group<T>;
        describe(specs);
        net.n_packed = packed_size();
        net.parameters = block(&Layer<T>::value);
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

    bool shares() const { return std::any_of(layers.begin(), layers.end(), [](const Layer<T>& layer) { return !layer.own; }); }

    // Multiply-adds with a weight of an example, those of padding included: weights count at every place.
    long n_products() const {
        long n = 0;
        for (const auto& layer : layers) n += weights(layer);
        return n;
    }

    long n_parameters() const {
        long n = 0;
        for (const auto& layer : layers)
            if (layer.own) n += layer.width * (layer.fan_in + 1) + (layer.unit == Unit::prelu ? layer.units : 0);
        return n;
    }

    // One member's theta, layer by layer: W row by row, b, alpha.
    void pack(const T* theta, Tensors<T> Layer<T>::*member, long m) {
        each(member, m, [&](T& place) { place = *theta++; });
    }
    void unpack(Tensors<T> Layer<T>::*member, long m, T* theta) {
        each(member, m, [&](T& place) { *theta++ = place; });
    }

private:
    Packing packing;
    Purpose purpose;
    long group;
    std::vector<Layer<T>> layers;
    std::vector<std::vector<Part<T>>> parts;
    std::vector<std::vector<Source>> sources;
    std::vector<std::size_t> heads;  // of each place the first one with the same parameters
    std::vector<std::size_t> in_theta;  // heads in the order of theta
    Arena arena;

    void describe(const std::vector<LayerSpec>& specs) {
        for (std::size_t l = 0; l < specs.size(); l++) {
            Layer<T>& layer = layers[l];
            layer.units = specs[l].units;
            layer.pieces = specs[l].pieces;
            layer.width = layer.units * layer.pieces;
            layer.drops = specs[l].drops;
            connect(layer, sources[l], specs, l);
            divide(layer, parts[l], specs[l].parts);
            // A pack reads down the units on the way back, where a regular distance would meet the same sets of the cache.
            layer.groups = packing == Packing::networks ? row_stride<T>(layer.fan_in * group) : layer.fan_in * group;
            // the last piece of maxout is stored by whole vectors from an unaligned place
            layer.width_stride = row_stride<T>(layer.width * net.members + (layer.pieces > 1 ? kilonet::group<T> : 0));
            layer.unit_stride = row_stride<T>(layer.units * net.members);
        }
        share(specs);
        order_the_way_back();
    }

    // Where a layer's inputs come from.
    void connect(Layer<T>& layer, std::vector<Source>& taken, const std::vector<LayerSpec>& specs, std::size_t l) {
        for (const long source : specs[l].sources) {
            if (source < -1 || source >= long(l)) throw std::invalid_argument("a layer takes what comes before it");
            const long size = source < 0 ? net.n_inputs : layers[std::size_t(source)].units;
            taken.push_back({source, layer.fan_in, size});
            layer.fan_in += size;
        }
        layer.sources = taken.data();
        layer.n_sources = long(taken.size());
    }

    // Which places have the same parameters.
    void share(const std::vector<LayerSpec>& specs) {
        const auto owner = [&](std::size_t l) { return std::size_t(specs[l].owner); };
        for (std::size_t l = 0; l < specs.size(); l++) {
            if (owner(l) >= specs.size() || owner(owner(l)) != owner(l)) throw std::invalid_argument("parameters belong to a layer");
            std::size_t head = 0, last = l;
            while (owner(head) != owner(l)) head++;
            for (std::size_t before = head; before < l; before++)
                if (owner(before) == owner(l)) last = before;
            heads.push_back(head);
            layers[l].own = head == l;
            if (head == l) continue;
            if (layers[head].fan_in != layers[l].fan_in || layers[head].width != layers[l].width || layers[head].pieces != layers[l].pieces)
                throw std::invalid_argument("only equal layers share parameters");
            layers[last].again = long(l);
        }
        for (std::size_t l = 0; l < specs.size(); l++)
            if (owner(l) == l) in_theta.push_back(heads[l]);
    }

    void divide(Layer<T>& layer, std::vector<Part<T>>& units, const std::vector<UnitSpec>& specs) {
        long from = 0;
        for (const UnitSpec& spec : specs) {
            units.push_back({spec.unit, T(spec.constant), from, from + spec.units});
            from += spec.units;
        }
        if (from != layer.units) throw std::invalid_argument("the parts of a layer add up to its units");
        layer.parts = units.data();
        layer.n_parts = long(units.size());
        layer.unit = units.size() == 1 ? units[0].unit : Unit::mixed;
    }

    // On the way back the last layer that takes some outputs begins the sum of their derivatives, the first one ends it.
    void order_the_way_back() {
        std::vector<Source*> latest(layers.size(), nullptr);
        for (std::size_t l = layers.size(); l-- > 0;)
            for (Source& source : sources[l]) {
                if (source.layer < 0) continue;
                Source*& before = latest[std::size_t(source.layer)];
                source.begins = before == nullptr;
                before = &source;
            }
        for (Source* source : latest)
            if (source) source->ends = true;
    }

    long padded(long columns) const { return round_up(columns * net.members, group); }
    long weights(const Layer<T>& layer) const { return padded(layer.width) / group * layer.groups; }

    long packed_size() const {
        long n = 0;
        for (const auto& layer : layers)
            if (layer.own) n += round_up(weights(layer) + padded(layer.width) + (layer.unit == Unit::prelu ? padded(layer.units) : 0), kilonet::group<T>);
        return n;
    }

    void spread(Tensors<T> Layer<T>::*member, T* at) {
        for (std::size_t l = 0; l < layers.size(); l++) {
            Layer<T>& layer = layers[l];
            Tensors<T>& t = layer.*member;
            if (!layer.own) {
                t = layers[heads[l]].*member;
                continue;
            }
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
        for (const std::size_t head : in_theta) {
            const Layer<T>& layer = layers[head];
            const Tensors<T>& t = layer.*member;
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
        layer.before = maxout || layer.unit == Unit::mixed ? cutter.take<T>(width) : layer.out;
        if (purpose == Purpose::predict) return;
        const bool told_by_out = layer.unit == Unit::relu || (!layer.drops && (layer.unit == Unit::identity || layer.unit == Unit::sigmoid || layer.unit == Unit::tanh));
        if (!told_by_out) layer.slope = cutter.take<T>(units);
        if (prelu) layer.negative = cutter.take<T>(units);
        layer.incoming = cutter.take<T>(units);
        layer.delta = maxout || prelu ? cutter.take<T>(width) : layer.incoming;
    }
};

}  // namespace kilonet
