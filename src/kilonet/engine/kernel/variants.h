// Which instruction sets were built, and which of them this machine runs.
#pragma once
#include <string>
#include <vector>

#include "plan.h"

namespace kilonet {

// Best first; `scalar` is always the last one.
const std::vector<const Variant*>& variants();

// By name; throws std::invalid_argument that lists what there is.
const Variant& variant(const std::string& name);

}  // namespace kilonet
