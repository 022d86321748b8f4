#include "variants.h"

#include <stdexcept>

namespace kilonet {

extern const Variant variant_scalar;
#if defined(__x86_64__)
extern const Variant variant_v3, variant_v4;
#elif defined(__aarch64__)
extern const Variant variant_neon;
#endif

const std::vector<const Variant*>& variants() {
    static const std::vector<const Variant*> found = [] {
        std::vector<const Variant*> list;
#if defined(__x86_64__)
        const bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("bmi");
        const bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd") &&
                        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
        if (v4) list.push_back(&variant_v4);
        if (v3) list.push_back(&variant_v3);
#elif defined(__aarch64__)
        list.push_back(&variant_neon);
#endif
        list.push_back(&variant_scalar);
        return list;
    }();
    return found;
}

const Variant& variant(const std::string& name) {
    std::string known;
    for (const Variant* v : variants()) {
        if (name == v->name) return *v;
        known += known.empty() ? v->name : std::string(", ") + v->name;
    }
    throw std::invalid_argument("instruction set '" + name + "' is not available here; this machine has " + known);
}

}  // namespace kilonet
