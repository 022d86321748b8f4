// The Python face of the kernel. It takes plain dictionaries and contiguous arrays that
// engine/translate.py has prepared; everything that a user sees is checked there.
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>

#include "settings.h"

using namespace kilonet;

namespace {

// How far the members of a population are: arrays of a state, which is always a copy of our own, with an entry or a
// row for each; the last three may be missing.
struct Counters {
    Array<std::int64_t> step, epoch, stopped, diverged;
    Array<double> sums;
    bool watched;
    Array<std::int64_t> best_epoch, wait;
    Array<double> best_value;

    explicit Counters(const nb::dict& d)
        : step(from<std::int64_t>(d, "step")), epoch(from<std::int64_t>(d, "epoch")), stopped(from<std::int64_t>(d, "stopped")),
          diverged(from<std::int64_t>(d, "diverged")), sums(from<double>(d, "sums")), watched(d.contains("wait")) {
        if (!watched) return;
        best_epoch = from<std::int64_t>(d, "best_epoch");
        wait = from<std::int64_t>(d, "wait");
        best_value = from<double>(d, "best_value");
    }
    double* sums_of(long member) const { return sums.data() + std::size_t(member) * sums.shape(1); }

private:
    template <class E>
    static Array<E> from(const nb::dict& d, const char* key) { return nb::cast<Array<E>>(d[key], false); }
};

// The place in its population and the lane of each member that belongs to one population.
template <class Each>
void each_lane(const Places& places, Each each) {
    for (std::size_t m = 0; m < places.size(); m++)
        if (places[m] >= 0) each(places[m], long(m));
}

// A trainer of some members of a population, or of several. Parameters come and go in arrays (population, n_parameters), of which
// `places` says which rows are those of its members.
template <class T>
class PyTrainer : public Trainer<T> {
public:
    PyTrainer(const std::vector<typename Settings<T>::Part>& parts, bool packed, const std::string& isa)
        : PyTrainer(Settings<T>::of(parts), parts.at(0).first->n_inputs, variant(isa), packed ? Packing::networks : Packing::columns) {}

    template <class Values, class Each>
    void for_each(const Places& places, const Values& values, Each each) {
        const long n = this->network.n_parameters();
        each_lane(places, [&](long p, long m) { each(values.data() + p * n, m); });
    }

    long rows(const Places& places) const {
        long most = 0;
        each_lane(places, [&](long, long m) { most = std::max(most, Trainer<T>::rows(m)); });
        return most;
    }
    bool trains(const Places& places) const {
        bool any = false;
        each_lane(places, [&](long, long m) { any |= !this->session.members[m].ended(); });
        return any;
    }

    void set_factors(Input<double> values, std::int64_t from) {
        factors = nb::cast(values);
        this->session.factors = values.data();
        this->session.n_factors = long(values.size());
        this->session.factors_from = from;
    }

    // The epoch of a diverged member is the last that was finite.
    void store_counters(const nb::dict& d, const Places& places) const {
        const Session<T>& s = this->session;
        const Counters to(d);
        each_lane(places, [&](long p, long m) {
            const Member& own = s.members[m];
            to.step.data()[p] = own.ended_step >= 0 ? own.ended_step : s.step;
            to.epoch.data()[p] = (own.ended_epoch >= 0 ? own.ended_epoch : s.epoch) - (own.diverged != 0);
            to.stopped.data()[p] = own.stopped;
            to.diverged.data()[p] = own.diverged;
            const bool on = !own.ended();
            double* sums = to.sums_of(p);
            for (const double* sum : {s.sums.loss, s.sums.weight, s.sums.score}) *sums++ = on ? sum[m] : 0.;
            *sums++ = 0;  // the kernel has no use for it
            for (long j = 0; j < this->network.net.n_outputs; j++) *sums++ = (on && s.train.missed) ? double(missed(j, m)) : 0.;
            if (!to.watched) return;
            to.best_value.data()[p] = own.best_value;
            to.best_epoch.data()[p] = own.best_epoch;
            to.wait.data()[p] = own.wait;
        });
    }

    void set_place(std::int64_t step, long epoch, long position) {
        this->set_step(step);
        this->session.epoch = epoch;
        this->session.position = position;
        this->count_live();
    }

    void load_counters(const nb::dict& d, const Places& places) {
        Session<T>& s = this->session;
        const Counters from(d);
        each_lane(places, [&](long p, long m) {
            Member& own = s.members[m];
            const double* sums = from.sums_of(p);
            s.sums.loss[m] = sums[0];
            s.sums.weight[m] = sums[1];
            s.sums.score[m] = sums[2];
            for (long j = 0; s.train.missed && j < this->network.net.n_outputs; j++) missed(j, m) = sums[4 + j] != 0;
            own.stopped = from.stopped.data()[p];
            own.diverged = from.diverged.data()[p];
            if (from.watched) {
                own.best_value = from.best_value.data()[p];
                own.best_epoch = from.best_epoch.data()[p];
                own.wait = from.wait.data()[p];
            }
            if (!own.ended()) return;
            own.ended_step = from.step.data()[p];
            own.ended_epoch = from.epoch.data()[p] + (own.diverged != 0);
        });
    }

private:
    nb::object factors;

    PyTrainer(typename Settings<T>::Share&& own, long n_inputs, const Variant& v, Packing packing)
        : Trainer<T>(own.session, n_inputs, own.layers, v, packing) {}

    std::uint8_t& missed(long output, long m) const {
        return this->session.train.missed[output * this->network.net.members + m];
    }
};

// Parameters and slots of the members, in and out.
template <class T>
void bind_state(nb::class_<PyTrainer<T>, Runner>& bound) {
    using P = PyTrainer<T>;
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
        .def("store_gradient", [](P& p, Array<T> values) { p.store_gradient(values.data()); }, nb::arg("values").noconvert());
}

// Curves and monitors of the members, in and out: arrays (epochs, population, numbers).
template <class T>
void bind_curves(nb::class_<PyTrainer<T>, Runner>& bound) {
    using P = PyTrainer<T>;
    bound.def("store_history", [](P& p, Array<double> to, long first, const Places& places) {
            each_lane(places, [&](long at, long m) {
                p.store_history(to.data() + 4 * at, first, long(to.shape(0)), 4 * long(to.shape(1)), m);
            });
        }, nb::arg("to").noconvert(), nb::arg("first"), nb::arg("places"))
        .def("store_monitors", [](P& p, Array<float> to, long first, const Places& places) {
            const long numbers = p.session.numbers;
            each_lane(places, [&](long at, long m) {
                p.store_monitors(to.data() + numbers * at, first, long(to.shape(0)), numbers * long(to.shape(1)), m);
            });
        }, nb::arg("to").noconvert(), nb::arg("first"), nb::arg("places"))
        .def("load_monitors", [](P& p, Input<float> from, const Places& places) {
            const long numbers = p.session.numbers;
            each_lane(places, [&](long at, long m) {
                p.load_monitors(from.data() + numbers * at, long(from.shape(0)), numbers * long(from.shape(1)), m);
            });
        })
        .def("store_opening", [](P& p, Array<float> to, const Places& places) {
            each_lane(places, [&](long at, long m) { p.store_opening(to.data() + p.session.numbers * at, m); });
        }, nb::arg("to").noconvert(), nb::arg("places"))
        .def("load_opening", [](P& p, Input<float> from, const Places& places) {
            each_lane(places, [&](long at, long m) { p.load_opening(from.data() + p.session.numbers * at, m); });
        })
        .def("load_history", [](P& p, Input<double> from, const Places& places) {
            each_lane(places, [&](long at, long m) {
                p.load_history(from.data() + 4 * at, long(from.shape(0)), 4 * long(from.shape(1)), m);
            });
        });
}

// Kept copies of the parameters, in and out: the best ones of early stopping, and those of the epoch's start.
template <class T>
void bind_copies(nb::class_<PyTrainer<T>, Runner>& bound) {
    using P = PyTrainer<T>;
    bound.def("rest", &P::rest)
        .def("load_start", [](P& p, Input<T> theta, const Places& places) {
            p.for_each(places, theta, [&](const T* own, long m) { p.load_start(own, m); });
        })
        .def("store_start", [](P& p, Array<T> theta, const Places& places) {
            p.for_each(places, theta, [&](T* own, long m) { p.store_start(own, m); });
        }, nb::arg("theta").noconvert(), nb::arg("places"))
        .def("load_best", [](P& p, Input<T> theta, const Places& places) {
            p.for_each(places, theta, [&](const T* own, long m) { p.load_copy(p.session.best, own, m); });
        })
        .def("store_best", [](P& p, Array<T> theta, const Places& places) {
            p.for_each(places, theta, [&](T* own, long m) { p.store_best(own, m); });
        }, nb::arg("theta").noconvert(), nb::arg("places"));
}

template <class T>
void bind_trainer(nb::module_& m, const char* settings, const char* name) {
    using P = PyTrainer<T>;
    nb::class_<Settings<T>>(m, settings).def(nb::init<const nb::dict&>());
    nb::class_<P, Runner> bound(m, name);
    bound.def(nb::init<const std::vector<typename Settings<T>::Part>&, bool, const std::string&>(), nb::keep_alive<1, 2>())
        .def("rows", &P::rows)
        .def("trains", &P::trains)
        .def("load_counters", &P::load_counters)
        .def("store_counters", &P::store_counters)
        .def("set_place", &P::set_place)
        .def("set_factors", &P::set_factors)
        .def("gradient", [](P& p, Pool& pool, int threads) { return p.gradient(pool.workspace(), threads); }, nb::call_guard<nb::gil_scoped_release>());
    bind_state<T>(bound);
    bind_curves<T>(bound);
    bind_copies<T>(bound);
}

void bind_pool(nb::module_& m) {
    nb::class_<Runner>(m, "Runner")
        .def_prop_ro("epoch", &Runner::epoch)
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
    bind_trainer<float>(m, "SettingsFloat32", "TrainerFloat32");
    bind_trainer<double>(m, "SettingsFloat64", "TrainerFloat64");
    bind_predictor<float>(m, "PredictorFloat32", "functions_float32");
    bind_predictor<double>(m, "PredictorFloat64", "functions_float64");
}
