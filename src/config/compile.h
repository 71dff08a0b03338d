// From a checked Model to a Snapshot that cores serve: routes to a table, policies to chains, names
// to slots, certificates to TLS contexts. Off the request's path; whatever fails leaves everything
// as it was.
#pragma once

#include <memory>

#include "config/model.h"
#include "exchange/snapshot.h"
#include "observe/event_log.h"
#include "observe/metrics.h"
#include "schema/diagnostics.h"

namespace doorward::config {

struct CompileTools {
  observe::Metrics& metrics;
  observe::EventLog& events;
  observe::MetricsShard& log_shard;  // for the thread that writes the access log
  unsigned cores = 1;
  const exchange::Snapshot* before = nullptr;  // what is equal in it is used again
  const text::Node* written = nullptr;         // what the model was read from, for places
};

// Null, with an error in `diagnostics`, when it cannot be.
std::shared_ptr<const exchange::Snapshot> compile(const Model& model, const CompileTools& tools,
                                                  schema::Diagnostics& diagnostics);

// All of it but what changes the machine (no log is opened): what `check` finds beyond the model.
void dry_run(const Model& model, const text::Node& written, schema::Diagnostics& diagnostics);

// The route table alone, for `explain`; null with an error in `diagnostics`.
std::unique_ptr<const route::RouteTable> compile_routes(const Model& model,
                                                        schema::Diagnostics& diagnostics);

// A route's policies alone, for `explain`; empty with an error in `diagnostics` when one cannot be.
policy::PolicyChain compile_chain(const Model& model, const RouteConfig& route,
                                  schema::Diagnostics& diagnostics);

}  // namespace doorward::config
