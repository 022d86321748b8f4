// Training sessions and predictors: they own the memory that a kernel works on.
#pragma once
#include <chrono>
#include <cmath>
#include <limits>
#include <mutex>
#include <utility>

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

// Memory for what holds nothing from one step to the next. One team of threads trains many sessions
// in it, one after another: buffers that have just been used are still in the cache.
class Workspace {
public:
    // The order of rows of an epoch, which sessions of one `order` share.
    struct Order {
        std::uint64_t order = 0;
        bool shuffled = false;
        long epoch = -1;
        std::vector<std::int32_t> rows;
    } order;

    void fit(long bytes) {
        if (bytes <= size) return;
        size = 0;
        block.reset(std::aligned_alloc(64, std::size_t(round_up(bytes, 64))));
        if (!block) throw std::bad_alloc();
        size = bytes;
    }
    void* memory() const { return block.get(); }

private:
    std::unique_ptr<void, void (*)(void*)> block{nullptr, std::free};
    long size = 0;
};

// What a pool trains: a network or a pack of them, in whatever type of numbers.
class Runner {
public:
    virtual ~Runner() = default;
    // Trains until `epoch` epochs are complete, all members have ended, or the seconds are over; at least one step.
    // With `adapt`, on any number of threads up to the most; else always on that many.
    virtual void run(long epoch, double seconds, bool adapt, Workspace& workspace, int threads) = 0;
    virtual long epoch() const = 0;            // completed
    virtual bool live() const = 0;             // whether there is a member left that trains
    virtual double work() const = 0;           // multiply-adds of an epoch, about
    virtual long buffer_bytes(int threads) = 0;
};

template <class T>
class Trainer : public Runner {
public:
    Session<T> session;
    Network<T> network;

    Trainer(const Trainer&) = delete;

    // `settings` carries the recipe and the data; its memory (data, factors) outlives the trainer.
    Trainer(const Session<T>& settings, long n_inputs, const std::vector<LayerSpec>& layers, const Variant& variant, Packing packing)
        : session(settings), network(n_inputs, layers, packing, kernel_of<T>(variant).lanes, Purpose::train),
          kernel(kernel_of<T>(variant).packed[int(packing)]), pace(1) {
        Session<T>& s = session;
        const long slots = slots_of(s.rule);
        for (long slot = 0; slot < 2; slot++) {
            if (slot < slots) network.block(slot_of(slot));
            else network.alias(slot_of(slot));
        }
        s.steps_per_epoch = (s.train.rows + s.batch - 1) / s.batch;
        s.live = s.n_members;
        prepare_members();
        for (Data<T>* data : {&s.train, &s.valid}) prepare_scores(*data);
        bool watched = false;
        for (long m = 0; m < s.n_members; m++) watched |= s.members[m].monitor != Metric::none;
        if (watched) s.best = network.take(network.net.n_packed);
        s.numbers = 1 + 7 * network.net.n_layers;
        if (s.watch_every) s.blocks = network.template take<std::uint8_t>((s.train.rows + sample_rows - 1) / sample_rows);
        s.keeps_gradient = s.watch_every && network.n_parameters() <= most_parameters;
        usual_check = std::max(1L, long(1e7 / (6. * double(network.n_products()) * double(s.batch))));
    }

    long epoch() const override { return session.epoch; }
    bool live() const override { return session.live > 0; }
    // Epochs of which a member's history tells.
    long rows(long m) const {
        const Member& own = session.members[m];
        return (own.ended_epoch >= 0 ? own.ended_epoch : session.epoch) - (own.diverged != 0);
    }
    double work() const override { return 3. * double(network.n_products()) * double(session.train.rows); }

    void load(const T* theta, long m) { network.pack(theta, &Layer<T>::value, m); }
    void load_slot(long slot, const T* values, long m) { network.pack(values, slot_of(slot), m); }
    void store(T* theta, long m) { network.unpack(&Layer<T>::value, m, theta); }
    void store_slot(long slot, T* values, long m) { network.unpack(slot_of(slot), m, values); }
    void store_gradient(T* values) { network.unpack(&Layer<T>::gradient, 0, values); }
    // After all members are loaded: spare lanes repeat the first one.
    void loaded() {
        const long members = network.net.members;
        T* const parameters = network.net.parameters;
        for (long i = 0; i < network.net.n_packed; i += members)
            for (long m = session.n_members; m < members; m++) parameters[i + m] = parameters[i];
        rest();
    }

    // Between epochs the parameters are those of the epoch's start: a copy of them is there from the first step, or from
    // what is loaded of it, until the trainer rests. Nobody needs one beside arrays that parameters go to or come from.
    void start() {
        if (session.snapshot) return;
        session.snapshot = snapshot.take<T>(network.net.n_packed);
        std::memcpy(session.snapshot, network.net.parameters, bytes());
    }
    void rest() {
        if (session.position) return;
        session.snapshot = nullptr;
        snapshot.clear();
    }
    void load_start(const T* theta, long m) {
        start();
        load_copy(session.snapshot, theta, m);
    }
    // The best parameters so far; of a member that does not stop early those that it has.
    void store_best(T* theta, long m) {
        session.members[m].monitor == Metric::none ? store(theta, m) : store_copy(session.best, theta, m);
    }
    void store_start(T* theta, long m) { session.snapshot ? store_copy(session.snapshot, theta, m) : store(theta, m); }

    // Copies of the parameters are kept packed: they travel through the live ones' place.
    void load_copy(T* kept, const T* theta, long m) {
        if (kept) exchanged(kept, [&] { load(theta, m); });
    }
    void store_copy(T* kept, T* theta, long m) {
        if (kept) exchanged(kept, [&] { store(theta, m); });
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

    // How many members still train; to be told after their counters were set.
    void count_live() {
        session.live = 0;
        for (long m = 0; m < session.n_members; m++) session.live += !session.members[m].ended();
    }

    void run(long epoch, double seconds, bool adapt, Workspace& workspace, int threads) override {
        Session<T>& s = session;
        start();
        if (pace.most != threads) pace = Pace(threads);
        settle(workspace, threads);
        const long last = std::min(epoch, s.epochs);
        const double end = seconds_now() + seconds;
        s.check_every = seconds > 1e-3 ? usual_check : 1;
        for (double at = seconds_now(); s.epoch < last && s.live;) {
            s.until_epoch = std::min(last, s.epoch + epochs_ahead);
            make_history(s.until_epoch);
            const Pace::Turn turn = adapt ? pace.next() : Pace::Turn{threads, end - at};
            const std::int64_t step = s.step;
            s.deadline = std::min(end, at + turn.seconds);
            s.pause = false;
            run_threads(turn.threads, [&](int n) { meet_with(n); }, [&](int t) { kernel.train(s, t); });
            const double now = seconds_now();
            if (adapt) pace.record(turn, double(s.step - step), now - at);
            if (now >= end) break;
            at = now;
        }
        workspace.order.epoch = s.rows_epoch;
    }

    // The mean loss of all rows; the gradient stays in the workspace.
    double gradient(Workspace& workspace, int threads) {
        Session<T>& s = session;
        settle(workspace, threads);
        s.position = 0;
        s.sums = Sums{};
        run_threads(threads, [&](int n) { meet_with(n); }, [&](int t) { kernel.gradient(s, t); });
        workspace.order.epoch = s.rows_epoch;
        return s.sums.loss[0] / s.sums.weight[0];
    }

    // What the finished epochs measured: `epochs` rows of `stride` numbers, four of them this member's.
    void load_history(const double* from, long epochs, long stride, long m) {
        make_history(epochs);
        for (long e = 0; e < epochs; e++) std::copy(from + e * stride, from + e * stride + 4, history_of(e, m));
    }
    void store_history(double* to, long first, long epochs, long stride, long m) {
        make_history(first + epochs);
        for (long e = 0; e < epochs; e++) std::copy(history_of(first + e, m), history_of(first + e, m) + 4, to + e * stride);
    }

    // The same of the monitors, each row `session.numbers` numbers of this member.
    void load_monitors(const float* from, long epochs, long stride, long m) {
        make_history(epochs);
        for (long e = 0; e < epochs; e++) std::copy(from + e * stride, from + e * stride + session.numbers, monitors_of(e, m));
    }
    void store_monitors(float* to, long first, long epochs, long stride, long m) {
        make_history(first + epochs);
        for (long e = 0; e < epochs; e++) std::copy(monitors_of(first + e, m), monitors_of(first + e, m) + session.numbers, to + e * stride);
    }

    // Those of the epoch in progress, of which the first step may have been made.
    void load_opening(const float* from, long m) {
        make_history(session.epoch + 1);
        std::copy(from, from + session.numbers, monitors_of(session.epoch, m));
    }
    void store_opening(float* to, long m) { store_monitors(to, session.epoch, 1, session.numbers, m); }

    long buffer_bytes(int threads) override {
        Cutter counting;
        place(counting, threads);
        return counting.used;
    }

private:
    static constexpr long epochs_ahead = 1024;  // of history: a run that stops early may be allowed very many epochs

    const Packed<T>& kernel;
    Pace pace;
    long usual_check;
    static constexpr long most_parameters = 1L << 24;  // of a network whose gradient is kept to be watched
    std::vector<double> history;
    std::vector<float> monitors;
    Arena snapshot;

    static Tensors<T> Layer<T>::*slot_of(long slot) { return slot ? &Layer<T>::second : &Layer<T>::first; }
    std::size_t bytes() const { return network.net.n_packed * sizeof(T); }
    double* history_of(long epoch, long m) { return history.data() + 4 * (epoch * session.n_members + m); }
    float* monitors_of(long epoch, long m) { return monitors.data() + session.numbers * (epoch * session.n_members + m); }

    // Fills the lanes, where each member's settings are looked up.
    void prepare_members() {
        Session<T>& s = session;
        for (long m = s.n_members; m < most_lanes; m++) s.members[m] = s.members[0];
        for (long i = 0; i < most_lanes; i++) {
            const Member& own = s.members[i % network.net.members];
            s.l2.at[i] = T(own.l2);
            s.l1.at[i] = T(own.l1);
            s.noise.at[i] = T(own.noise);
            s.loss_constant.at[i] = T(own.loss_constant);
            s.seed_low.at[i] = std::uint32_t(own.seed);
            s.seed_high.at[i] = std::uint32_t(own.seed >> 32);
            network.net.threshold.at[i] = own.threshold;
            network.net.keep.at[i] = T(own.threshold ? 65536. / (65536. - own.threshold) : 1.);
            const Cases penalties = own.l1 != 0 ? Cases::mixed : own.l2 != 0 ? Cases::all_l2 : Cases::plain;
            s.cases = i == 0 || s.cases == penalties ? penalties : Cases::mixed;
            s.noisy |= own.noise != 0;
            s.limited |= own.max_norm != 0;
        }
    }

    // Scales and bases of R2 in every lane; marks of the constant outputs.
    void prepare_scores(Data<T>& data) {
        const long members = network.net.members;
        for (long m = session.n_members; m < most_lanes; m++) {
            data.weights[m] = data.weights[0];
            data.score_base[m] = data.score_base[0];
            data.tables[m] = data.tables[0];
        }
        if (!data.error_scale) return;
        const T* given = data.error_scale;  // (n_members, n_outputs)
        const long outputs = network.net.n_outputs;
        T* const scale = network.take(outputs * most_lanes);
        bool constant = false;
        for (long j = 0; j < outputs; j++)
            for (long i = 0; i < most_lanes; i++) {
                const long m = i % members;
                scale[j * most_lanes + i] = given[(m < session.n_members ? m : 0) * outputs + j];
                constant |= scale[j * most_lanes + i] == 0;
            }
        data.error_scale = scale;
        if (constant) data.missed = network.template take<std::uint8_t>(outputs * members);
    }

    // Rows of the buffers: a batch, or what is validated at a time, with a row for every thread.
    long capacity(int threads) const {
        const long watched = session.watch_every ? std::min(sample_rows, session.train.rows) : 1;
        return std::max({session.batch, watched, session.valid.rows ? std::max(64L, long(threads)) : 1});
    }

    void place(Cutter& cutter, int threads) {
        Session<T>& s = session;
        const long members = network.net.members;
        const bool gradient = s.rule == Rule::none || s.batch > row_block || s.keeps_gradient || network.shares();
        network.place(cutter, capacity(threads), std::min(s.batch, row_block), threads, s.noisy || s.train.own, gradient);
        place_watched(cutter, threads);
        for (T** rows : {&s.row_share, &s.row_loss, &s.row_score}) *rows = cutter.take<T>(s.batch * members);
        for (T** rows : {&s.valid_loss, &s.valid_score}) *rows = cutter.take<T>(s.valid.rows * members);
        s.net = network.net;
    }

    void place_watched(Cutter& cutter, int threads) {
        Session<T>& s = session;
        if (!s.watch_every) return;
        s.columns = s.fired_size = 0;
        for (long l = 0; l < network.net.n_layers; l++) {
            const Layer<T>& layer = network.net.layers[l];
            s.columns += round_up(layer.width * network.net.members, group<T>);
            if (l + 1 < network.net.n_layers) s.fired_size += round_up(layer.units * network.net.members, group<T>);
        }
        s.squares = cutter.take<double>(3 * s.columns);
        s.fired = cutter.take<T>(s.fired_size * threads);
        s.fired_before = cutter.take<T>(s.fired_size);
    }

    void settle(Workspace& workspace, int threads) {
        Session<T>& s = session;
        const long needed = buffer_bytes(threads);
        workspace.fit(needed);
        Cutter cutter(workspace.memory());
        place(cutter, threads);
        Workspace::Order& order = workspace.order;
        const bool same = order.order == s.order && order.shuffled == s.shuffled && long(order.rows.size()) == s.train.rows;
        if (!same) {
            order = {s.order, s.shuffled, -1, {}};  // nobody's, should there be no memory for the rows
            order.rows.resize(std::size_t(s.train.rows));
        }
        s.rows = order.rows.data();
        s.rows_epoch = order.epoch;
    }

    void make_history(long epochs) {
        const std::size_t needed = std::size_t(4 * epochs * session.n_members);
        if (needed > history.size()) history.resize(needed, std::numeric_limits<double>::quiet_NaN());
        session.history = history.data();
        const std::size_t watched = std::size_t(session.numbers * epochs * session.n_members);
        if (watched > monitors.size()) monitors.resize(watched, std::numeric_limits<float>::quiet_NaN());
        session.monitors = monitors.data();
    }

    void meet_with(int threads) {
        session.barrier = Barrier{};
        session.barrier.threads = threads;
    }

    template <class Copy>
    void exchanged(T* kept, Copy copy) {
        T* const live = network.net.parameters;
        std::swap_ranges(live, live + network.net.n_packed, kept);
        copy();
        std::swap_ranges(live, live + network.net.n_packed, kept);
    }
};

template <class T>
class Predictor {
public:
    Predictor(const Predictor&) = delete;

    // theta (members, n_parameters); in the networks packing at most as many members as there are lanes.
    Predictor(const T* theta, long members, long n_inputs, const std::vector<LayerSpec>& layers, const Variant& variant, Packing packing, int threads)
        : network(n_inputs, layers, packing, kernel_of<T>(variant).lanes, Purpose::predict),
          kernel(kernel_of<T>(variant).packed[int(packing)]), members(members), most_threads(threads) {
        for (long m = 0; m < members; m++) network.pack(theta + m * network.n_parameters(), &Layer<T>::value, m);
        Cutter counting;
        network.place(counting, 96L * threads, 1, threads, false, false);
        Cutter cutter(buffers.take<char>(counting.used));
        network.place(cutter, 96L * threads, 1, threads, false, false);
    }

    // out (members, rows, units). Several callers may have one predictor; its buffers serve one of them at a time.
    void predict(const Data<T>& data, long layer, T* out, int threads) {
        const std::lock_guard alone(busy);
        const long lanes = network.net.members, units = network.net.layers[layer].units;
        if (lanes > 1) together.resize(std::size_t(data.rows * units * lanes));
        T* const place = lanes > 1 ? together.data() : out;
        int n = 1;
        run_threads(std::clamp(threads, 1, most_threads), [&](int started) { n = started; },
            [&](int t) { kernel.predict(network.net, data, layer, place, t, n); });
        if (lanes == 1) return;
        for (long m = 0; m < members; m++)
            for (long i = 0; i < data.rows * units; i++) *out++ = place[i * lanes + m];
    }

private:
    Network<T> network;
    Arena buffers;
    const Packed<T>& kernel;
    long members;
    int most_threads;
    std::vector<T> together;
    std::mutex busy;
};

}  // namespace kilonet
