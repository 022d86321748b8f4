// How many multiplications and additions a core does when nothing has to be loaded: independent chains of fused
// multiply-adds in registers. Argument: threads. Prints GFLOP/s in float32.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#if defined(__AVX512F__)
constexpr int kBytes = 64;
#elif defined(__AVX__)
constexpr int kBytes = 32;
#else
constexpr int kBytes = 16;
#endif
typedef float Vector __attribute__((vector_size(kBytes)));
constexpr int kLanes = kBytes / 4, kChains = 12;
constexpr long kSteps = 20'000'000;

static void chains(float* sink) {
    Vector x[kChains], a = Vector{} + 0.999f, b = Vector{} + 1e-3f;
    for (int i = 0; i < kChains; ++i) x[i] = Vector{} + 1.0f + 0.01f * float(i);  // unlike, or the compiler would keep one
    for (long step = 0; step < kSteps; ++step) {
        for (auto& v : x) v = v * a + b;  // contracted to one fma by -ffp-contract=fast
        asm volatile("" : "+r"(sink) : : );
    }
    Vector sum{};
    for (auto& v : x) sum += v;
    *sink = sum[0];
}

int main(int count, char** arguments) {
    int threads = count > 1 ? std::atoi(arguments[1]) : 1;
    std::vector<float> sinks(threads * 64);
    auto start = std::chrono::steady_clock::now();
    std::vector<std::thread> pool;
    for (int i = 0; i < threads; ++i) pool.emplace_back(chains, &sinks[i * 64]);
    for (auto& thread : pool) thread.join();
    double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    std::printf("%.1f\n", 2.0 * kLanes * kChains * double(kSteps) * threads / seconds * 1e-9);
}
