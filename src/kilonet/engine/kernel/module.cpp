// The Python face of the kernel. It takes plain dictionaries and contiguous arrays that
// engine/native.py has prepared; everything that a user sees is checked there.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include "pool.h"

namespace nb = nanobind;
using namespace kilonet;

namespace {

template <class T> using Array = nb::ndarray<T, nb::c_contig, nb::device::cpu>;
template <class T> using Input = nb::ndarray<const T, nb::c_contig, nb::device::cpu>;

template <class V>
V get(const nb::dict& d, const char* key) { return nb::cast<V>(d[key]); }

// The array under `key`, or null for None; `kept` holds it alive.
template <class E>
const E* array(const nb::dict& d, const char* key, std::vector<nb::object>& kept) {
    nb::object value = d[key];
    if (value.is_none()) return nullptr;
    kept.push_back(value);
    return nb::cast<Input<E>>(value, false).data();  // a converted copy would not live long enough
}

// Rows that members may weigh differently: "weights" and "score_base" have an entry for each.
template <class T>
Data<T> data_from(const nb::dict& d, std::vector<nb::object>& kept) {
    Data<T> data;
    data.rows = get<long>(d, "rows");
    data.dense = array<T>(d, "dense", kept);
    data.starts = array<std::int64_t>(d, "starts", kept);
    data.columns = array<std::int32_t>(d, "columns", kept);
    data.entries = array<T>(d, "entries", kept);
    data.classes = array<std::int32_t>(d, "classes", kept);
    data.numbers = array<T>(d, "numbers", kept);
    data.error_scale = array<T>(d, "error_scale", kept);
    const nb::object weights = d["weights"];
    data.weighted = !weights.is_none();
    for (std::size_t m = 0; data.weighted && m < nb::len(weights); m++) {
        kept.push_back(weights[m]);
        data.weights[m] = nb::cast<Input<double>>(weights[m], false).data();
    }
    const auto bases = get<nb::list>(d, "score_base");
    for (std::size_t m = 0; m < bases.size(); m++) data.score_base[m] = nb::cast<double>(bases[m]);
    return data;
}

std::vector<LayerSpec> specs_from(const nb::list& layers) {
    std::vector<LayerSpec> specs;
    for (nb::handle item : layers) {
        const nb::tuple t = nb::cast<nb::tuple>(item);
        specs.push_back({nb::cast<long>(t[0]), nb::cast<long>(t[1]), Unit(nb::cast<int>(t[2])), nb::cast<double>(t[3]), nb::cast<bool>(t[4])});
    }
    return specs;
}

Member member_from(const nb::dict& d) {
    Member m;
    m.rate = get<double>(d, "rate");
    m.l2 = get<double>(d, "l2");
    m.l1 = get<double>(d, "l1");
    m.noise = get<double>(d, "noise");
    m.max_norm = get<double>(d, "max_norm");
    m.loss_constant = get<double>(d, "loss_constant");
    m.threshold = get<std::uint32_t>(d, "threshold");
    m.seed = get<std::uint64_t>(d, "seed");
    m.monitor = Metric(get<int>(d, "monitor"));
    m.min_delta = get<double>(d, "min_delta");
    m.patience = get<long>(d, "patience");
    m.best_value = m.monitor == Metric::loss ? INFINITY : -INFINITY;
    return m;
}

// Settings as the kernel takes them, and the arrays that it reads.
template <class T>
struct Settings {
    std::vector<nb::object> kept;
    Session<T> session;

    explicit Settings(const nb::dict& d) {
        Session<T>& s = session;
        s.train = data_from<T>(get<nb::dict>(d, "train"), kept);
        if (!d["valid"].is_none()) s.valid = data_from<T>(get<nb::dict>(d, "valid"), kept);
        s.loss = Loss(get<int>(d, "loss"));
        s.rule = Rule(get<int>(d, "rule"));
        s.beta1 = get<double>(d, "beta1");
        s.beta2 = get<double>(d, "beta2");
        s.epsilon = get<double>(d, "epsilon");
        s.decay = get<double>(d, "decay");
        s.batch = get<long>(d, "batch");
        s.epochs = get<long>(d, "epochs");
        s.order = get<std::uint64_t>(d, "order");
        s.shuffled = get<bool>(d, "shuffled");
        const auto members = get<nb::list>(d, "members");
        if (members.size() == 0 || members.size() > std::size_t(most_lanes)) throw std::invalid_argument("a session has 1 to 16 members");
        s.n_members = long(members.size());
        for (long m = 0; m < s.n_members; m++) s.members[m] = member_from(nb::cast<nb::dict>(members[std::size_t(m)]));
    }
};

Packing packing_from(const nb::dict& d) { return get<bool>(d, "packed") ? Packing::networks : Packing::columns; }

// A trainer, and the arrays that it reads. Parameters come and go in arrays (population, n_parameters), of which
// `places` says which rows are those of its members.
template <class T>
class PyTrainer : public Trainer<T> {
public:
    PyTrainer(const nb::dict& d, long n_inputs, const nb::list& layers, const std::string& isa)
        : PyTrainer(Settings<T>(d), n_inputs, specs_from(layers), variant(isa), packing_from(d)) {}

    using Places = std::vector<long>;

    template <class Values, class Each>
    void for_each(const Places& places, const Values& values, Each each) {
        const long n = this->network.n_parameters();
        for (std::size_t m = 0; m < places.size(); m++) each(values.data() + places[m] * n, long(m));
    }

    void set_factors(Input<double> values, std::int64_t from) {
        factors = nb::cast(values);
        this->session.factors = values.data();
        this->session.n_factors = long(values.size());
        this->session.factors_from = from;
    }

    nb::dict counters(long m) const {
        const Session<T>& s = this->session;
        const Member& own = s.members[m];
        nb::dict d;
        d["step"] = own.ended_step >= 0 ? own.ended_step : s.step;
        d["epoch"] = own.ended_epoch >= 0 ? own.ended_epoch : s.epoch;
        nb::list sums;
        const double on = own.ended() ? 0 : 1;
        for (const double* sum : {s.sums.loss, s.sums.weight, s.sums.score}) sums.append(own.ended() ? 0. : sum[m]);
        sums.append(0.);
        for (long j = 0; j < this->network.net.n_outputs; j++)
            sums.append(s.train.missed ? on * double(s.train.missed[j * this->network.net.members + m]) : 0.);
        d["sums"] = sums;
        d["best_value"] = own.best_value;
        d["best_epoch"] = own.best_epoch;
        d["wait"] = own.wait;
        d["stopped"] = own.stopped;
        d["diverged"] = own.diverged;
        return d;
    }

    void set_place(std::int64_t step, long epoch, long position) {
        this->set_step(step);
        this->session.epoch = epoch;
        this->session.position = position;
        this->count_live();
    }

    void set_counters(long m, const nb::dict& d) {
        Session<T>& s = this->session;
        Member& own = s.members[m];
        const auto sums = get<nb::list>(d, "sums");  // those of the kernel, one unused, a mark for each output
        s.sums.loss[m] = nb::cast<double>(sums[0]);
        s.sums.weight[m] = nb::cast<double>(sums[1]);
        s.sums.score[m] = nb::cast<double>(sums[2]);
        for (long j = 0; s.train.missed && j < this->network.net.n_outputs; j++)
            s.train.missed[j * this->network.net.members + m] = nb::cast<double>(sums[std::size_t(4 + j)]) != 0;
        own.best_value = get<double>(d, "best_value");
        own.best_epoch = get<long>(d, "best_epoch");
        own.wait = get<long>(d, "wait");
        own.stopped = get<long>(d, "stopped");
        own.diverged = get<long>(d, "diverged");
        if (!own.ended()) return;
        own.ended_step = get<std::int64_t>(d, "step");
        own.ended_epoch = get<long>(d, "epoch");
    }

private:
    std::vector<nb::object> kept;
    nb::object factors;

    PyTrainer(Settings<T>&& given, long n_inputs, const std::vector<LayerSpec>& layers, const Variant& v, Packing packing)
        : Trainer<T>(given.session, n_inputs, layers, v, packing), kept(std::move(given.kept)) {}
};

// Parameters, slots and history of the members, in and out.
template <class T>
void bind_state(nb::class_<PyTrainer<T>, Runner>& bound) {
    using P = PyTrainer<T>;
    using Places = typename P::Places;
    bound.def("load", [](P& p, Input<T> theta, const Places& places) {
             p.for_each(places, theta, [&](const T* own, long m) { p.load(own, m); });
             p.loaded();
         })
        .def("load_slot", [](P& p, long slot, Input<T> values, const Places& places) {
            p.for_each(places, values, [&](const T* own, long m) { p.load_slot(slot, own, m); });
        })
        .def("store", [](P& p, Array<T> theta, const Places& places) {
            p.for_each(places, theta, [&](T* own, long m) { p.store(own, m); });
        }, nb::arg("theta").noconvert(), nb::arg("places"))
        .def("store_slot", [](P& p, long slot, Array<T> values, const Places& places) {
            p.for_each(places, values, [&](T* own, long m) { p.store_slot(slot, own, m); });
        }, nb::arg("slot"), nb::arg("values").noconvert(), nb::arg("places"))
        .def("store_gradient", [](P& p, Array<T> values) { p.store_gradient(values.data()); }, nb::arg("values").noconvert())
        .def("store_history", [](P& p, Array<double> to, long first, const Places& places) {
            for (std::size_t m = 0; m < places.size(); m++)
                p.store_history(to.data() + 4 * places[m], first, long(to.shape(0)), 4 * long(to.shape(1)), long(m));
        }, nb::arg("to").noconvert(), nb::arg("first"), nb::arg("places"))
        .def("load_history", [](P& p, Input<double> from, const Places& places) {
            for (std::size_t m = 0; m < places.size(); m++)
                p.load_history(from.data() + 4 * places[m], long(from.shape(0)), 4 * long(from.shape(1)), long(m));
        });
}

// A kept copy of the parameters, in and out: the best ones of early stopping, or those of the epoch's start.
template <class T>
void bind_copy(nb::class_<PyTrainer<T>, Runner>& bound, const char* load, const char* store, T* Session<T>::*kept) {
    using P = PyTrainer<T>;
    using Places = typename P::Places;
    bound.def(load, [kept](P& p, Input<T> theta, const Places& places) {
             p.for_each(places, theta, [&](const T* own, long m) { p.load_copy(p.session.*kept, own, m); });
         })
        .def(store, [kept](P& p, Array<T> theta, const Places& places) {
            p.for_each(places, theta, [&](T* own, long m) { p.store_copy(p.session.*kept, own, m); });
        }, nb::arg("theta").noconvert(), nb::arg("places"));
}

template <class T>
void bind_trainer(nb::module_& m, const char* name) {
    using P = PyTrainer<T>;
    nb::class_<P, Runner> bound(m, name);
    bound.def(nb::init<const nb::dict&, long, const nb::list&, const std::string&>())
        .def("counters", &P::counters)
        .def("set_counters", &P::set_counters)
        .def("set_place", &P::set_place)
        .def("set_factors", &P::set_factors)
        .def("gradient", [](P& p, Pool& pool, int threads) { return p.gradient(pool.workspace(), threads); }, nb::call_guard<nb::gil_scoped_release>());
    bind_state<T>(bound);
    bind_copy<T>(bound, "load_best", "store_best", &Session<T>::best);
    bind_copy<T>(bound, "load_start", "store_start", &Session<T>::snapshot);
}

void bind_pool(nb::module_& m) {
    nb::class_<Runner>(m, "Runner")
        .def_prop_ro("epoch", &Runner::epoch)
        .def_prop_ro("rows", &Runner::rows)
        .def_prop_ro("live", &Runner::live)
        .def("buffer_bytes", &Runner::buffer_bytes);
    nb::class_<Pool>(m, "Pool")
        .def(nb::init<>())
        .def("run", [](Pool& pool, const std::vector<std::tuple<Runner*, long, int>>& given, double seconds, bool adapt, int threads) {
            std::vector<Entry> entries;
            for (const auto& [runner, epoch, most] : given) entries.push_back({runner, epoch, most});
            const nb::gil_scoped_release released;
            pool.run(entries, seconds, adapt, threads);
        });
}

template <class T>
void bind_predictor(nb::module_& m, const char* name, const char* functions) {
    nb::class_<Predictor<T>>(m, name)
        .def("__init__", [](Predictor<T>* self, Input<T> theta, bool packed, long n_inputs, const nb::list& layers, const std::string& isa, int threads) {
            new (self) Predictor<T>(theta.data(), long(theta.shape(0)), n_inputs, specs_from(layers), variant(isa), packed ? Packing::networks : Packing::columns, threads);
        })
        .def("dense", [](Predictor<T>& p, Input<T> X, long layer, Array<T> out, int threads) {
            Data<T> data;
            data.rows = long(X.shape(0));
            data.dense = X.data();
            p.predict(data, layer, out.data(), threads);
        }, nb::call_guard<nb::gil_scoped_release>(), nb::arg("X").noconvert(), nb::arg("layer"), nb::arg("out").noconvert(), nb::arg("threads"))
        .def("sparse", [](Predictor<T>& p, Input<std::int64_t> starts, Input<std::int32_t> columns, Input<T> entries, long layer, Array<T> out, int threads) {
            Data<T> data;
            data.rows = long(starts.size()) - 1;
            data.starts = starts.data();
            data.columns = columns.data();
            data.entries = entries.data();
            p.predict(data, layer, out.data(), threads);
        }, nb::call_guard<nb::gil_scoped_release>(),
            nb::arg("starts").noconvert(), nb::arg("columns").noconvert(), nb::arg("entries").noconvert(), nb::arg("layer"), nb::arg("out").noconvert(), nb::arg("threads"));
    m.def(functions, [](const std::string& isa, int which, Input<T> in, Array<T> out) { kernel_of<T>(variant(isa)).functions(which, in.data(), out.data(), long(in.size())); },
        nb::arg("isa"), nb::arg("which"), nb::arg("in"), nb::arg("out").noconvert());
}

}  // namespace

NB_MODULE(_kernel, m) {
    m.doc() = "Kilonet's training kernel.";
    m.def("variants", [] {
        std::vector<std::string> names;
        for (const Variant* v : variants()) names.push_back(v->name);
        return names;
    }, "Instruction sets that this machine runs, best first.");
    m.def("lanes", [](const std::string& isa, bool single) { return single ? variant(isa).single.lanes : variant(isa).twice.lanes; },
        "Members of a pack in an instruction set, for float32 (single) or float64.");
    bind_pool(m);
    bind_trainer<float>(m, "TrainerFloat32");
    bind_trainer<double>(m, "TrainerFloat64");
    bind_predictor<float>(m, "PredictorFloat32", "functions_float32");
    bind_predictor<double>(m, "PredictorFloat64", "functions_float64");
}
