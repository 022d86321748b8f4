// What Python gives: the settings and the data of a whole population, of which sessions take their members.
#pragma once
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/vector.h>

#include <optional>

#include "pool.h"

namespace kilonet {

namespace nb = nanobind;

template <class T> using Array = nb::ndarray<T, nb::c_contig, nb::device::cpu>;
template <class T> using Input = nb::ndarray<const T, nb::c_contig, nb::device::cpu>;
using Places = std::vector<long>;  // of members in a population; -1 for a lane whose member is none of it

template <class V>
V get(const nb::dict& d, const char* key) { return nb::cast<V>(d[key]); }

inline std::vector<LayerSpec> specs_from(const nb::list& layers) {
    std::vector<LayerSpec> specs;
    for (nb::handle item : layers) {
        const nb::tuple t = nb::cast<nb::tuple>(item);
        std::vector<UnitSpec> parts;
        for (nb::handle part : nb::cast<nb::list>(t[2])) {
            const nb::tuple own = nb::cast<nb::tuple>(part);
            parts.push_back({Unit(nb::cast<int>(own[0])), nb::cast<double>(own[1]), nb::cast<long>(own[2])});
        }
        specs.push_back({nb::cast<long>(t[0]), nb::cast<long>(t[1]), parts, nb::cast<std::vector<long>>(t[3]), nb::cast<long>(t[4])});
    }
    return specs;
}

// An array of numbers with a row for each member, or with a single one for all of them.
template <class E>
struct Rows {
    const E* data = nullptr;
    std::size_t rows = 0, length = 0;

    const E* of(long member) const { return data + (rows > 1 ? std::size_t(member) * length : 0); }
};

// Arrays that the kernel reads, kept alive.
class Arrays {
public:
    // The array under `key`, or null for None.
    template <class E>
    const E* array(const nb::dict& d, const char* key) { return rows<E>(d, key).data; }

    template <class E>
    Rows<E> rows(const nb::dict& d, const char* key) {
        nb::object value = d[key];
        if (value.is_none()) return {};
        kept.push_back(value);
        const auto found = nb::cast<Input<E>>(value, false);  // a converted copy would not live long enough
        const std::size_t n = found.shape(0);
        return {found.data(), n, n ? found.size() / n : 0};
    }

private:
    std::vector<nb::object> kept;
};

// Examples, which members may weigh differently.
template <class T>
struct Sample {
    Data<T> data;
    Rows<double> weights, bases;
    Rows<T> scales;

    Sample(const nb::dict& d, Arrays& kept) {
        data.rows = get<long>(d, "rows");
        data.dense = kept.array<T>(d, "dense");
        data.starts = kept.array<std::int64_t>(d, "starts");
        data.columns = kept.array<std::int32_t>(d, "columns");
        data.entries = kept.array<T>(d, "entries");
        data.classes = kept.array<std::int32_t>(d, "classes");
        data.numbers = kept.array<T>(d, "numbers");
        weights = kept.rows<double>(d, "weights");
        scales = kept.rows<T>(d, "error_scale");
        bases = kept.rows<double>(d, "score_base");
        data.weighted = weights.data;
    }

    // The examples as some members see them, who follow `first` other ones; `scale` (members, n_outputs) has to outlive
    // the trainer's construction.
    void share(const Places& places, std::size_t first, Data<T>& own, std::vector<T>& scale) const {
        if (first == 0) own = data;
        else if (!beside(own)) throw std::invalid_argument("members of a session need tables of one kind and length");
        own.own = own.own || first > 0;
        for (std::size_t i = 0; i < places.size(); i++) {
            const std::size_t m = first + i;
            own.tables[m] = {data.dense, data.classes, data.numbers};
            if (weights.data) own.weights[m] = weights.of(places[i]);
            if (bases.data) own.score_base[m] = *bases.of(places[i]);
            if (scales.data) scale.insert(scale.end(), scales.of(places[i]), scales.of(places[i]) + scales.length);
        }
        if (scales.data) own.error_scale = scale.data();
    }

private:
    // Whether tables of both can be read in step.
    bool beside(const Data<T>& other) const {
        return data.rows == other.rows && data.dense && other.dense && !data.classes == !other.classes &&
            !data.numbers == !other.numbers && data.weighted == other.weighted;
    }
};

// Network, recipe and data of a population.
template <class T>
class Settings {
public:
    // The session of some members, the layers, and what the trainer's construction reads.
    struct Share {
        Session<T> session;
        std::vector<LayerSpec> layers;
        std::vector<T> train_scale, valid_scale;
    };

    using Part = std::pair<const Settings*, Places>;

    const long n_inputs;

    explicit Settings(const nb::dict& d)
        : n_inputs(get<long>(d, "n_inputs")), layers(specs_from(get<nb::list>(d, "layers"))), train(get<nb::dict>(d, "train"), kept) {
        if (!d["valid"].is_none()) valid.emplace(get<nb::dict>(d, "valid"), kept);
        Session<T>& s = common;
        s.loss = Loss(get<int>(d, "loss"));
        s.rule = Rule(get<int>(d, "rule"));
        s.beta1 = get<double>(d, "beta1");
        s.beta2 = get<double>(d, "beta2");
        s.epsilon = get<double>(d, "epsilon");
        s.decay = get<double>(d, "decay");
        s.batch = get<long>(d, "batch");
        s.epochs = get<long>(d, "epochs");
        s.watch_every = get<long>(d, "watch_every");
        read_members(d);
    }

    // Members of a population, or of several whose recipes have the same in common and that differ in their tables.
    static Share of(const std::vector<Part>& parts) {
        std::size_t total = 0;
        bool empty = parts.empty();
        for (const auto& [settings, places] : parts) {
            total += places.size();
            empty |= places.empty();
        }
        if (empty || total > std::size_t(most_lanes)) throw std::invalid_argument("a session has 1 to 16 members");
        const Settings& first = *parts.front().first;
        Share share{first.common, first.layers, {}, {}};
        Session<T>& s = share.session;
        s.n_members = 0;
        for (const auto& [settings, places] : parts) settings->join(places, share);
        s.order = first.orders[std::size_t(parts.front().second[0])];
        s.shuffled = first.shuffled[std::size_t(parts.front().second[0])];
        return share;
    }

private:
    Arrays kept;
    Session<T> common;
    std::vector<LayerSpec> layers;
    Sample<T> train;
    std::optional<Sample<T>> valid;
    std::vector<Member> members;
    std::vector<std::uint64_t> orders;
    std::vector<std::uint8_t> shuffled;

    void join(const Places& places, Share& share) const {
        Session<T>& s = share.session;
        const std::size_t first = std::size_t(s.n_members);
        train.share(places, first, s.train, share.train_scale);
        if (valid) valid->share(places, first, s.valid, share.valid_scale);
        else if (s.valid.rows) throw std::invalid_argument("all members of a session are validated, or none");
        bool drops = false;
        for (std::size_t i = 0; i < places.size(); i++) {
            s.members[first + i] = members.at(std::size_t(places[i]));
            drops |= s.members[first + i].threshold != 0;
        }
        s.n_members += long(places.size());
        for (std::size_t l = 0; l + 1 < share.layers.size(); l++) share.layers[l].drops |= drops;
    }

    template <class E, class Set>
    void each(const nb::dict& d, const char* key, Set set) {
        const auto values = nb::cast<Input<E>>(d[key], false);
        if (values.size() != members.size()) throw std::invalid_argument("settings of members differ in number");
        for (std::size_t m = 0; m < members.size(); m++) set(members[m], values.data()[m]);
    }

    void read_members(const nb::dict& d) {
        members.resize(nb::cast<Input<std::uint64_t>>(d["seed"], false).size());
        each<double>(d, "rate", [](Member& m, double v) { m.rate = v; });
        each<double>(d, "l2", [](Member& m, double v) { m.l2 = v; });
        each<double>(d, "l1", [](Member& m, double v) { m.l1 = v; });
        each<double>(d, "noise", [](Member& m, double v) { m.noise = v; });
        each<double>(d, "max_norm", [](Member& m, double v) { m.max_norm = v; });
        each<double>(d, "loss_constant", [](Member& m, double v) { m.loss_constant = v; });
        each<double>(d, "min_delta", [](Member& m, double v) { m.min_delta = v; });
        each<std::int64_t>(d, "patience", [](Member& m, std::int64_t v) { m.patience = long(v); });
        each<std::uint32_t>(d, "threshold", [](Member& m, std::uint32_t v) { m.threshold = v; });
        each<std::uint64_t>(d, "seed", [](Member& m, std::uint64_t v) { m.seed = v; });
        each<std::uint8_t>(d, "monitor", [](Member& m, std::uint8_t v) {
            m.monitor = Metric(v);
            m.best_value = m.monitor == Metric::loss ? INFINITY : -INFINITY;
        });
        each<std::uint64_t>(d, "order", [&](Member&, std::uint64_t v) { orders.push_back(v); });
        each<std::uint8_t>(d, "shuffled", [&](Member&, std::uint8_t v) { shuffled.push_back(v); });
    }
};

}  // namespace kilonet
