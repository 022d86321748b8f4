#define KILONET_VECTOR_BYTES 0
#include "train.h"

namespace kilonet {
extern const Variant variant_scalar{"scalar", kernel<float>(), kernel<double>()};
}
