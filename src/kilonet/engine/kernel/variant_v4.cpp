#define KILONET_VECTOR_BYTES 64
#include "train.h"

namespace kilonet {
extern const Variant variant_v4{"x86-64-v4", kernel<float>(), kernel<double>()};
}
