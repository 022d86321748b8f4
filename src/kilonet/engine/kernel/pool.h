// Many sessions over the threads of one call.
#pragma once
#include <deque>
#include <exception>

#include "trainer.h"

namespace kilonet {

// A runner, the epoch that it is to reach, and the most threads that can be of use to it.
struct Entry { Runner* runner; long epoch; int most; };

// Trains runners side by side. Each belongs to one team of threads at a time, goes a stretch of epochs, and
// stands in line again, so that all stay about level and no thread runs out of work before the others. Fewer
// runners than threads get teams of several.
class Pool {
public:
    Pool() = default;
    Pool(const Pool&) = delete;

    // Until every runner has reached its epoch or ended, or the seconds are over.
    void run(const std::vector<Entry>& entries, double seconds, bool adapt, int threads) {
        std::deque<Entry> line;
        double work = 0;
        for (const Entry& entry : entries)
            if (left_of(entry) > 0) {
                line.push_back(entry);
                work += entry.runner->work() * double(left_of(entry));
            }
        if (line.empty()) return;
        std::stable_sort(line.begin(), line.end(), [](const Entry& a, const Entry& b) { return a.runner->epoch() < b.runner->epoch(); });
        int teams = std::min(threads, int(std::min<std::size_t>(line.size(), 1 << 16)));
        if (adapt && work < least_work) teams = 1;
        const bool whole = int(line.size()) <= teams;
        while (int(workspaces.size()) < teams) workspaces.push_back(std::make_unique<Workspace>());
        const double end = seconds_now() + seconds;
        std::mutex guard;
        std::exception_ptr failure;
        const auto lead = [&](int team) {
            std::unique_lock lock(guard);
            while (!line.empty() && !failure) {
                const Entry entry = line.front();
                line.pop_front();
                lock.unlock();
                try {
                    const long target = whole ? entry.epoch : std::min(entry.epoch, entry.runner->epoch() + stretch(*entry.runner));
                    const double left = std::max(end - seconds_now(), 0.);
                    entry.runner->run(target, left, adapt, *workspaces[std::size_t(team)], std::min(std::max(1, threads / teams), entry.most));
                } catch (...) {
                    lock.lock();
                    failure = std::current_exception();
                    return;
                }
                lock.lock();
                if (seconds_now() >= end) return;
                if (left_of(entry) > 0) line.push_back(entry);
            }
        };
        run_threads(teams, [](int) {}, lead);
        if (failure) std::rethrow_exception(failure);
    }

    Workspace& workspace() {
        if (workspaces.empty()) workspaces.push_back(std::make_unique<Workspace>());
        return *workspaces.front();
    }

private:
    static constexpr double least_work = 1e6;   // multiply-adds below which a second thread costs more than it brings
    static constexpr double rate = 1e10, least_seconds = 1e-3;

    std::vector<std::unique_ptr<Workspace>> workspaces;

    static long left_of(const Entry& entry) { return entry.runner->live() ? std::max(0L, entry.epoch - entry.runner->epoch()) : 0; }

    // Epochs at a time, so that standing in line costs nothing that matters.
    static long stretch(const Runner& runner) { return std::max(1L, long(rate * least_seconds / std::max(runner.work(), 1.))); }
};

}  // namespace kilonet
