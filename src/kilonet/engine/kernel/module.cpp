// The Python face of the kernel. It takes plain dictionaries and contiguous arrays that
// engine/native.py has prepared; everything that a user sees is checked there.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "trainer.h"

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
    data.weights = array<double>(d, "weights", kept);
    data.error_scale = array<T>(d, "error_scale", kept);
    data.score_base = get<double>(d, "score_base");
    return data;
}

std::vector<LayerSpec> specs_from(const nb::list& layers) {
    std::vector<LayerSpec> specs;
    for (nb::handle item : layers) {
        const nb::tuple t = nb::cast<nb::tuple>(item);
        specs.push_back({nb::cast<long>(t[0]), nb::cast<long>(t[1]), Unit(nb::cast<int>(t[2])), nb::cast<double>(t[3]), nb::cast<std::uint32_t>(t[4])});
    }
    return specs;
}

template <class T>
Session<T> session_from(const nb::dict& d, std::vector<nb::object>& kept) {
    Session<T> s;
    s.train = data_from<T>(get<nb::dict>(d, "train"), kept);
    if (!d["valid"].is_none()) s.valid = data_from<T>(get<nb::dict>(d, "valid"), kept);
    s.loss = Loss(get<int>(d, "loss"));
    s.loss_constant = T(get<double>(d, "loss_constant"));
    s.rule = Rule(get<int>(d, "rule"));
    s.l2 = get<double>(d, "l2");
    s.l1 = get<double>(d, "l1");
    s.noise = get<double>(d, "noise");
    s.max_norm = get<double>(d, "max_norm");
    s.beta1 = get<double>(d, "beta1");
    s.beta2 = get<double>(d, "beta2");
    s.epsilon = get<double>(d, "epsilon");
    s.decay = get<double>(d, "decay");
    s.batch = get<long>(d, "batch");
    s.epochs = get<long>(d, "epochs");
    s.seed = get<std::uint64_t>(d, "seed");
    s.order = get<std::uint64_t>(d, "order");
    s.shuffled = get<bool>(d, "shuffled");
    s.monitor = Metric(get<int>(d, "monitor"));
    s.min_delta = get<double>(d, "min_delta");
    s.patience = get<long>(d, "patience");
    return s;
}

// A trainer, and the arrays that it reads.
template <class T>
struct PyTrainer {
    std::vector<nb::object> kept;
    std::vector<double> rates;
    Trainer<T> trainer;

    PyTrainer(const PyTrainer&) = delete;
    PyTrainer(const nb::dict& settings, long n_inputs, const nb::list& layers, const std::string& isa, int threads)
        : trainer(session_from<T>(settings, kept), n_inputs, specs_from(layers), variant(isa), threads) {}

    void set_rates(Input<double> values, std::int64_t from) {
        rates.assign(values.data(), values.data() + values.size());
        trainer.session.rates = rates.data();
        trainer.session.n_rates = long(rates.size());
        trainer.session.rates_from = from;
    }

    nb::dict counters() const {
        const Session<T>& s = trainer.session;
        nb::dict d;
        d["step"] = s.step;
        d["epoch"] = s.epoch;
        d["position"] = s.position;
        nb::list sums;
        for (double sum : {s.sums.loss, s.sums.weight, s.sums.score, 0.}) sums.append(sum);
        for (long j = 0; j < s.net.n_outputs; j++) sums.append(s.train.missed ? double(s.train.missed[j]) : 0.);
        d["sums"] = sums;
        d["best_value"] = s.best_value;
        d["best_epoch"] = s.best_epoch;
        d["wait"] = s.wait;
        d["stopped"] = s.stopped;
        d["diverged"] = s.diverged;
        return d;
    }

    void set_counters(const nb::dict& d) {
        Session<T>& s = trainer.session;
        trainer.set_step(get<std::int64_t>(d, "step"));
        s.epoch = get<long>(d, "epoch");
        s.position = get<long>(d, "position");
        const auto sums = get<nb::list>(d, "sums");  // those of the kernel, one unused, a mark for each output
        s.sums = {nb::cast<double>(sums[0]), nb::cast<double>(sums[1]), nb::cast<double>(sums[2])};
        for (long j = 0; s.train.missed && j < s.net.n_outputs; j++) s.train.missed[j] = nb::cast<double>(sums[4 + j]) != 0;
        s.best_value = get<double>(d, "best_value");
        s.best_epoch = get<long>(d, "best_epoch");
        s.wait = get<long>(d, "wait");
        s.stopped = get<long>(d, "stopped");
        s.diverged = get<long>(d, "diverged");
    }
};

template <class T>
void bind_trainer(nb::module_& m, const char* name) {
    using P = PyTrainer<T>;
    nb::class_<P>(m, name)
        .def(nb::init<const nb::dict&, long, const nb::list&, const std::string&, int>())
        .def("load", [](P& p, Input<T> theta) { p.trainer.load(theta.data()); })
        .def("load_slot", [](P& p, int which, Input<T> values) { p.trainer.load_slot(which, values.data()); })
        .def("load_best", [](P& p, Input<T> theta) { p.trainer.load_copy(p.trainer.session.best, theta.data()); })
        .def("load_start", [](P& p, Input<T> theta) { p.trainer.load_copy(p.trainer.session.snapshot, theta.data()); })
        .def("store", [](const P& p, Array<T> theta) { p.trainer.store(theta.data()); }, nb::arg("theta").noconvert())
        .def("store_slot", [](const P& p, int which, Array<T> values) { p.trainer.store_slot(which, values.data()); }, nb::arg("which"), nb::arg("values").noconvert())
        .def("store_best", [](P& p, Array<T> theta) { p.trainer.store_copy(p.trainer.session.best, theta.data()); }, nb::arg("theta").noconvert())
        .def("store_start", [](P& p, Array<T> theta) { p.trainer.store_copy(p.trainer.session.snapshot, theta.data()); }, nb::arg("theta").noconvert())
        .def("store_gradient", [](const P& p, Array<T> values) { p.trainer.store_gradient(values.data()); }, nb::arg("values").noconvert())
        .def("store_history", [](P& p, Array<double> to, long first) { p.trainer.store_history(to.data(), first, long(to.shape(0))); }, nb::arg("to").noconvert(), nb::arg("first"))
        .def("load_history", [](P& p, Input<double> from) { p.trainer.load_history(from.data(), long(from.shape(0))); })
        .def("counters", &P::counters)
        .def("set_counters", &P::set_counters)
        .def("set_rates", &P::set_rates)
        .def("run", [](P& p, long epoch, double seconds, bool adapt) { p.trainer.run(epoch, seconds, adapt); }, nb::call_guard<nb::gil_scoped_release>())
        .def("gradient", [](P& p) { return p.trainer.gradient(); }, nb::call_guard<nb::gil_scoped_release>());
}

template <class T>
void bind_predictor(nb::module_& m, const char* name, const char* functions) {
    nb::class_<Predictor<T>>(m, name)
        .def("__init__", [](Predictor<T>* self, Input<T> theta, long n_inputs, const nb::list& layers, const std::string& isa, int threads) {
            new (self) Predictor<T>(theta.data(), n_inputs, specs_from(layers), variant(isa), threads);
        })
        .def("dense", [](Predictor<T>& p, Input<T> X, long layer, Array<T> out, int threads) {
            Data<T> data;
            data.rows = long(out.shape(0));
            data.dense = X.data();
            p.predict(data, layer, out.data(), threads);
        }, nb::call_guard<nb::gil_scoped_release>(), nb::arg("X").noconvert(), nb::arg("layer"), nb::arg("out").noconvert(), nb::arg("threads"))
        .def("sparse", [](Predictor<T>& p, Input<std::int64_t> starts, Input<std::int32_t> columns, Input<T> entries, long layer, Array<T> out, int threads) {
            Data<T> data;
            data.rows = long(out.shape(0));
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
    bind_trainer<float>(m, "TrainerFloat32");
    bind_trainer<double>(m, "TrainerFloat64");
    bind_predictor<float>(m, "PredictorFloat32", "functions_float32");
    bind_predictor<double>(m, "PredictorFloat64", "functions_float64");
}
