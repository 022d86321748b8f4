// Threads for one call, and how many of them pay.
#pragma once
#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

namespace kilonet {

// work(thread) on as many threads as were asked for, or as the system gives: begin(threads) hears
// how many before the first of them works. They are made for the call and joined before it returns,
// so that nothing is left behind that a fork could lose. Making one takes some 20 µs; calls that use
// several last far longer.
template <class Begin, class Work>
void run_threads(int threads, Begin begin, Work work) {
    std::atomic<bool> open{false};
    std::vector<std::thread> others;
    others.reserve(std::size_t(threads - 1));
    try {
        for (int t = 1; t < threads; t++)
            others.emplace_back([&, t] {
                while (!open.load(std::memory_order_acquire)) std::this_thread::yield();
                work(t);
            });
    } catch (...) {  // those that have begun wait for us
        // no more to be had (a limit on processes, no memory): results are the same with fewer
    }
    begin(int(others.size()) + 1);
    open.store(true, std::memory_order_release);
    work(0);
    for (auto& thread : others) thread.join();
}

inline double seconds_now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// How many threads to use, found out by trying: one or all. Results do not depend on it (the thread
// law), so a run may change its mind. What is best depends on the size of a step and on who else
// wants the cores: threads that meet twice a step wait for the slowest.
class Pace {
public:
    int most;

    explicit Pace(int most) : most(most) {}

    struct Turn { int threads; double seconds; };

    // What to run next, and for how long.
    Turn next() const {
        if (most == 1) return {1, forever};
        if (rate[0] == 0) return {1, trial};
        if (rate[1] == 0) return {most, trial};
        const bool many = rate[1] > rate[0];
        if (turns_left > 0) return {many ? most : 1, turn};
        return {many ? 1 : most, trial};  // look again whether the other one has become better
    }

    void record(Turn done, double steps, double seconds) {
        if (most == 1 || seconds <= 0 || steps <= 0) return;
        rate[done.threads > 1] = steps / seconds;
        turns_left = turns_left > 0 ? turns_left - 1 : turns_between_trials;
    }

private:
    static constexpr double forever = 1e9, trial = 1e-3, turn = 25e-3;
    static constexpr int turns_between_trials = 20;
    int turns_left = turns_between_trials;
    double rate[2] = {0, 0};  // steps a second with one thread and with all
};

}  // namespace kilonet
