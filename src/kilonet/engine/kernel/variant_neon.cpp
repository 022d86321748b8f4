#define KILONET_VECTOR_BYTES 16
#include "train.h"

namespace kilonet {
extern const Variant variant_neon{"neon", kernel<float>(), kernel<double>()};
}
