#define KILONET_VECTOR_BYTES 32
#include "train.h"

namespace kilonet {
extern const Variant variant_v3{"x86-64-v3", kernel<float>(), kernel<double>()};
}
