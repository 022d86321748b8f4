// One training session and one predictor: they own the memory that a kernel works on.
#pragma once
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <limits>
#include <mutex>

#include "network.h"
#include "threads.h"
#include "variants.h"

namespace kilonet {

template <class T> const Kernel<T>& kernel_of(const Variant& v);
template <> inline const Kernel<float>& kernel_of<float>(const Variant& v) { return v.single; }
template <> inline const Kernel<double>& kernel_of<double>(const Variant& v) { return v.twice; }

inline long slots_of(Rule rule) {
    return rule == Rule::adam || rule == Rule::adamw ? 2 : rule == Rule::sgd || rule == Rule::none ? 0 : 1;
}

template <class T>
class Trainer {
public:
    Session<T> session;
    Network<T> network;

    Trainer(const Trainer&) = delete;

    // `settings` carries the recipe and the data; its memory (data, rates) outlives the trainer.
    Trainer(const Session<T>& settings, long n_inputs, const std::vector<LayerSpec>& layers, const Variant& variant, int threads)
        : session(settings), network(n_inputs, layers, capacity_for(settings, threads), threads, Purpose::train),
          kernel(kernel_of<T>(variant)), most_threads(threads), pace(threads) {
        Session<T>& s = session;
        const long slots = slots_of(s.rule);
        const bool gradient = s.rule == Rule::none || s.batch > row_block;
        network.extend(&Layer<T>::first, slots > 0);
        network.extend(&Layer<T>::second, slots > 1);
        network.extend(&Layer<T>::gradient, gradient);
        s.net = network.net;
        s.steps_per_epoch = (s.train.rows + s.batch - 1) / s.batch;
        s.rows = network.template take<std::int32_t>(s.train.rows);
        s.row_loss = network.template take<T>(s.batch);
        s.row_score = network.template take<T>(2 * s.batch);
        s.valid_loss = network.template take<T>(s.valid.rows);
        s.valid_score = network.template take<T>(s.valid.rows);
        for (Data<T>* data : {&s.train, &s.valid})
            if (data->error_scale && std::count(data->error_scale, data->error_scale + s.net.n_outputs, T(0)))
                data->missed = network.template take<std::uint8_t>(s.net.n_outputs);
        s.snapshot = network.template take<T>(s.net.n_packed);
        if (s.monitor != Metric::none) s.best = network.template take<T>(s.net.n_packed);
        s.best_value = s.monitor == Metric::loss ? INFINITY : -INFINITY;
        const double work = 6. * double(s.net.n_packed) * double(s.batch);  // operations of a step
        usual_check = std::max(1L, long(1e7 / work));
    }

    void load(const T* theta) {
        network.pack(theta, &Layer<T>::value);
        network.refresh_back();
        std::memcpy(session.snapshot, session.net.parameters, bytes());
    }

    void load_slot(int which, const T* values) { network.pack(values, which ? &Layer<T>::second : &Layer<T>::first); }
    void store_slot(int which, T* values) const { network.unpack(which ? &Layer<T>::second : &Layer<T>::first, values); }
    void store(T* theta) const { network.unpack(&Layer<T>::value, theta); }
    void store_gradient(T* values) const { network.unpack(&Layer<T>::gradient, values); }

    // Copies of the parameters are kept packed: they travel through the live ones' place.
    void load_copy(T* kept, const T* theta) {
        if (kept) through_place([&](T* live) { network.pack(theta, &Layer<T>::value); std::memcpy(kept, live, bytes()); });
    }
    void store_copy(const T* kept, T* theta) {
        if (kept) through_place([&](T* live) { std::memcpy(live, kept, bytes()); network.unpack(&Layer<T>::value, theta); });
    }

    void set_step(std::int64_t step) {
        session.step = step;
        session.beta1_power = session.beta2_power = 1;
        const auto matters = [](double power) { return power > 0x1p-80; };  // below it 1 - power is 1
        for (std::int64_t i = 0; i < step && (matters(session.beta1_power) || matters(session.beta2_power)); i++) {
            session.beta1_power *= session.beta1;
            session.beta2_power *= session.beta2;
        }
    }

    // Trains until `epoch` epochs are complete, the network stops, or the seconds are over; at least
    // one step. With `adapt`, any number of threads up to the most; else always that many.
    void run(long epoch, double seconds, bool adapt) {
        Session<T>& s = session;
        const long last = std::min(epoch, s.epochs);
        const double end = seconds_now() + seconds;
        s.check_every = seconds > 1e-3 ? usual_check : 1;
        for (double at = seconds_now(); s.epoch < last && !s.stopped && !s.diverged;) {
            s.until_epoch = std::min(last, s.epoch + epochs_ahead);
            make_history(s.until_epoch);
            const Pace::Turn turn = adapt ? pace.next() : Pace::Turn{most_threads, end - at};
            const std::int64_t step = s.step;
            train_until(std::min(end, at + turn.seconds), turn.threads);
            const double now = seconds_now();
            if (adapt) pace.record(turn, double(s.step - step), now - at);
            if (now >= end) break;
            at = now;
        }
    }

    // The mean loss of all rows; the gradient stays in its place.
    double gradient() {
        Session<T>& s = session;
        s.position = 0;
        s.sums = Sums{};
        run_threads(most_threads, [&](int n) { meet_with(n); }, [&](int t) { kernel.gradient(s, t); });
        return s.sums.loss / s.sums.weight;
    }

    // What the finished epochs measured, (epochs, 4).
    void load_history(const double* from, long epochs) {
        make_history(epochs);
        std::copy(from, from + 4 * epochs, session.history);
    }
    void store_history(double* to, long first, long epochs) {
        make_history(first + epochs);
        std::copy(session.history + 4 * first, session.history + 4 * (first + epochs), to);
    }

private:
    static constexpr long epochs_ahead = 1024;  // of history: a run that stops early may be allowed very many epochs

    const Kernel<T>& kernel;
    int most_threads;
    Pace pace;
    long usual_check;
    std::vector<double> history;

    // Rows of the buffers: a batch, or what is validated at a time, with a row for every thread.
    static long capacity_for(const Session<T>& settings, int threads) {
        return settings.valid.rows ? std::max({settings.batch, 64L, long(threads)}) : settings.batch;
    }

    void make_history(long epochs) {
        if (std::size_t(4 * epochs) > history.size()) history.resize(4 * epochs, std::numeric_limits<double>::quiet_NaN());
        session.history = history.data();
    }

    void meet_with(int threads) {
        session.barrier = Barrier{};
        session.barrier.threads = threads;
    }

    void train_until(double deadline, int threads) {
        Session<T>& s = session;
        s.deadline = deadline;
        s.pause = false;
        run_threads(threads, [&](int n) { meet_with(n); }, [&](int t) { kernel.train(s, t); });
    }

    std::size_t bytes() const { return session.net.n_packed * sizeof(T); }

    template <class Copy>
    void through_place(Copy copy) {
        T* const live = session.net.parameters;
        const std::vector<T> saved(live, live + session.net.n_packed);
        copy(live);
        std::memcpy(live, saved.data(), bytes());
    }
};

template <class T>
class Predictor {
public:
    Predictor(const Predictor&) = delete;
    Predictor(const T* theta, long n_inputs, const std::vector<LayerSpec>& layers, const Variant& variant, int threads)
        : network(n_inputs, layers, 96L * threads, threads, Purpose::predict), kernel(kernel_of<T>(variant)), most_threads(threads) {
        network.pack(theta, &Layer<T>::value);
    }

    // Several callers may have one predictor; its buffers serve one of them at a time.
    void predict(const Data<T>& data, long layer, T* out, int threads) {
        const std::lock_guard alone(busy);
        int n = 1;
        run_threads(std::clamp(threads, 1, most_threads), [&](int started) { n = started; },
            [&](int t) { kernel.predict(network.net, data, layer, out, t, n); });
    }

private:
    Network<T> network;
    const Kernel<T>& kernel;
    int most_threads;
    std::mutex busy;
};

}  // namespace kilonet
