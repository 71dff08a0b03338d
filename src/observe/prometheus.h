// The metrics as text: Prometheus' exposition format 0.0.4 (what /metrics answers), and the page
// docs/reference/metrics.md. Cold; the caller's thread does all the work.
#pragma once

#include <string>

#include "observe/metrics.h"

namespace doorward::observe {

inline constexpr std::string_view kPrometheusContentType =
    "text/plain; version=0.0.4; charset=utf-8";

// A slot appears once something was counted in it by any shard, and so does a late value.
std::string render_prometheus(const Metrics& metrics);

// The reference page, in Markdown.
std::string render_metrics_reference();

}  // namespace doorward::observe
