// Threads for one call. They are made for the call and joined before it returns, so that nothing
// is left behind that a fork could lose; calls last up to 0.1 s and making a thread some 20 µs.
#pragma once
#include <thread>
#include <vector>

namespace kilonet {

template <class Work>
void run_threads(int threads, Work work) {
    std::vector<std::thread> others;
    for (int t = 1; t < threads; t++) others.emplace_back(work, t);
    work(0);
    for (auto& thread : others) thread.join();
}

}  // namespace kilonet
