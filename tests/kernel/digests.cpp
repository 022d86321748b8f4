// Trains small networks with every instruction set of the machine and prints a digest of each result.
//
// It has no Python in it, so that it can be built for another processor and run in an emulator:
// equal lines on x86-64, on scalar code and on NEON are the thread law across machines. Usage:
// digests [best], then compare the printed lines; `best` tries only the best instruction set. All numbers come from a generator of its own.
#include <cstdio>
#include <cstring>
#include <string>

#include "pool.h"

using namespace kilonet;

namespace {

struct Numbers {  // splitmix64
    std::uint64_t state = 1;
    std::uint64_t next() {
        std::uint64_t z = state += 0x9E3779B97F4A7C15ULL;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
        return z ^ (z >> 31);
    }
    double uniform() { return double(next() >> 11) * 0x1p-53 * 2 - 1; }
    long below(long n) { return long(next() % std::uint64_t(n)); }
};

std::uint64_t digest(std::uint64_t seed, const void* data, std::size_t bytes) {  // FNV-1a
    for (std::size_t i = 0; i < bytes; i++) seed = (seed ^ static_cast<const unsigned char*>(data)[i]) * 0x100000001B3ULL;
    return seed;
}

struct Case {
    Unit unit;
    Loss loss;
    Rule rule;
    std::vector<long> sizes;
    bool own_tables = false;  // whether each member has rows of its own
    bool graph = false;       // whether layers take more than the one before, and the first one is applied twice
};

std::vector<LayerSpec> layers_of(const Case& c, bool drops) {
    std::vector<LayerSpec> layers;
    for (std::size_t l = 1; l < c.sizes.size(); l++) {
        const bool last = l + 1 == c.sizes.size();
        const long here = long(layers.size());
        std::vector<UnitSpec> parts{{last ? Unit::identity : c.unit, 0.2, c.sizes[l]}};
        if (c.graph && l == 2) parts = {{Unit::relu, 0, c.sizes[l] / 3}, {Unit::tanh, 0, c.sizes[l] - c.sizes[l] / 3}};
        layers.push_back({c.sizes[l], !last && c.unit == Unit::maxout && parts.size() == 1 ? 3 : 1, parts, {here - 1}, here, !last && drops});
        if (c.graph && l == 2) layers.back().sources = {-1, 1, -1};
        if (c.graph && last) layers.back().sources = {here - 1, -1, 0, 1};
        if (!c.graph || here) continue;
        LayerSpec again = layers.back();  // sizes of inputs and of the first layer are equal
        again.sources = {0};
        layers.push_back(again);
    }
    return layers;
}

bool wants_classes(Loss loss) { return loss == Loss::cross_entropy || loss == Loss::hinge_classes || loss == Loss::squared_hinge_classes; }
bool wants_signs(Loss loss) { return loss == Loss::hinge_signs || loss == Loss::squared_hinge_signs; }

// Every setting that members may have of their own differs between them.
Member member(int m) {
    Member own;
    own.rate = 0.01 * (m + 1);
    own.l2 = m == 2 ? 0 : 1e-2;
    own.l1 = m == 1 ? 0 : 1e-3;
    own.noise = m == 1 ? 0 : 0.1;
    own.max_norm = m == 2 ? 0 : 1.5;
    own.threshold = m == 2 ? 0 : 13107;
    own.loss_constant = 0.1;
    own.seed = 5 + m;
    own.monitor = Metric::loss;
    own.best_value = INFINITY;
    own.patience = m == 1 ? 1 : 2;
    return own;
}

constexpr int members = 3;

// Digests of the members; together in packs, or each alone.
template <class T>
std::vector<std::uint64_t> train(const Case& c, const Variant& variant, int threads, bool together) {
    const long rows = 71, inputs = c.sizes.front(), outputs = c.sizes.back();
    Numbers numbers;
    const long all_rows = rows + members;  // a table of a member's own begins so many rows later
    std::vector<T> X(all_rows * inputs), y(all_rows * outputs), scale(outputs * members, T(0.05));
    std::vector<std::int32_t> labels(all_rows);
    for (auto& x : X) x = T(numbers.uniform() * 2);
    for (auto& v : y) v = wants_signs(c.loss) ? T(numbers.below(2) ? 1 : -1) : c.loss == Loss::logistic ? T(numbers.below(2)) : T(numbers.uniform());
    for (auto& v : labels) v = std::int32_t(numbers.below(outputs));
    Session<T> s;
    s.train.rows = s.valid.rows = rows;
    const auto table = [&](long m) {
        const long from = c.own_tables ? m : 0;
        const bool classes = wants_classes(c.loss);
        return Table<T>{X.data() + from * inputs, classes ? labels.data() + from : nullptr, classes ? nullptr : y.data() + from * outputs};
    };
    if (!wants_classes(c.loss) && !wants_signs(c.loss) && c.loss != Loss::logistic) s.train.error_scale = s.valid.error_scale = scale.data();
    for (int m = 0; m < members; m++) s.train.score_base[m] = s.valid.score_base[m] = 1;
    s.loss = c.loss;
    s.rule = c.rule;
    s.beta1 = 0.9; s.beta2 = 0.99; s.epsilon = 1e-8; s.decay = 0.01;
    const double factor = 1;
    s.factors = &factor; s.n_factors = 1;
    s.batch = 24; s.epochs = 3; s.order = 6;

    std::vector<T> theta;
    std::vector<std::uint64_t> found;
    Pool pool;
    const long size = together ? std::min<long>(members, kernel_of<T>(variant).lanes) : 1;
    for (long first = 0; first < members; first += size) {
        const long n = std::min<long>(size, members - first);
        s.n_members = n;
        for (Data<T>* data : {&s.train, &s.valid}) {
            data->own = together && c.own_tables;
            for (long m = 0; m < n; m++) data->tables[m] = table(first + m);
            data->dense = data->tables[0].dense;
            data->classes = data->tables[0].classes;
            data->numbers = data->tables[0].numbers;
        }
        bool drops = false;
        for (long m = 0; m < n; m++) {
            s.members[m] = member(int(first + m));
            drops |= s.members[m].threshold != 0;
        }
        Trainer<T> trainer(s, inputs, layers_of(c, drops), variant, together ? Packing::networks : Packing::columns);
        for (long m = 0; m < n; m++) {
            theta.resize(trainer.network.n_parameters());
            Numbers own{std::uint64_t(100 + first + m)};
            for (auto& w : theta) w = T(own.uniform() * 0.4);
            trainer.load(theta.data(), m);
        }
        trainer.loaded();
        pool.run({{&trainer, 3, threads}}, 1e9, false, threads);
        for (long m = 0; m < n; m++) {
            trainer.store(theta.data(), m);
            double history[12];
            trainer.store_history(history, 0, 3, 4, m);
            found.push_back(digest(digest(0xCBF29CE484222325ULL, theta.data(), theta.size() * sizeof(T)), history, sizeof history));
        }
    }
    return found;
}

}  // namespace

int main(int count, char** arguments) {
    const bool best_only = count > 1 && !std::strcmp(arguments[1], "best");
    std::vector<Case> cases;
    for (int u = 0; u <= int(Unit::maxout); u++) cases.push_back({Unit(u), Loss::cross_entropy, Rule::adam, {11, 23, 17, 5}});
    for (int l = 0; l <= int(Loss::quantile); l++) cases.push_back({Unit::tanh, Loss(l), Rule::momentum, {33, 40, 3}});
    for (int r = 0; r < int(Rule::none); r++) cases.push_back({Unit::silu, Loss::squared, Rule(r), {2, 20, 2}});
    cases.push_back({Unit::relu, Loss::cross_entropy, Rule::sgd, {300, 130, 10}});
    cases.push_back({Unit::relu, Loss::cross_entropy, Rule::sgd, {1500, 20, 4}});  // several blocks of inputs
    for (const Unit unit : {Unit::relu, Unit::prelu, Unit::maxout, Unit::gelu})
        cases.push_back({unit, Loss::cross_entropy, Rule::adam, {19, 19, 37, 21, 5}, false, true});
    const std::size_t shared = cases.size();
    for (std::size_t i = 0; i < shared; i += 3) {
        cases.push_back(cases[i]);
        cases.back().own_tables = true;
    }
    bool equal = true;
    for (std::size_t i = 0; i < cases.size(); i++) {
        std::vector<std::uint64_t> first[2];
        for (const Variant* v : variants()) {
            if (best_only && v != variants().front()) break;
            for (int threads = 1; threads <= 2; threads++)
                for (bool together : {false, true}) {
                    const std::vector<std::uint64_t> found[2] = {train<float>(cases[i], *v, threads, together), train<double>(cases[i], *v, threads, together)};
                    for (int type = 0; type < 2; type++) {
                        if (first[type].empty()) first[type] = found[type];
                        if (first[type] == found[type]) continue;
                        equal = false;
                        std::fprintf(stderr, "case %zu: %s with %d threads, %s, %s differs\n", i, v->name, threads, together ? "packed" : "alone", type ? "float64" : "float32");
                    }
                }
        }
        std::printf("%zu", i);
        for (const auto& type : first)
            for (std::uint64_t member : type) std::printf(" %016llx", (unsigned long long)member);
        std::printf("\n");
    }
    std::fprintf(stderr, "instruction sets:");
    for (const Variant* v : variants()) std::fprintf(stderr, " %s", v->name);
    std::fprintf(stderr, "\n");
    return equal ? 0 : 1;
}
