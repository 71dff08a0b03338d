// What only the whole configuration can tell: names that must be unique or must exist, addresses
// taken twice, routes that mean nothing or are never reached. Errors first; warnings only when
// there is no error, so that they do not repeat one.
#pragma once

#include "config/model.h"

namespace doorward::config {

void check_model(const Model& model, const text::Node& root, PolicyKinds kinds,
                 schema::Diagnostics& diagnostics);

}  // namespace doorward::config
