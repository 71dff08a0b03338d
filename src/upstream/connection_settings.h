// What a service's connections are made by; one for all its endpoints on a core.
#pragma once

#include <memory>

#include "codec/h1/client_connection.h"
#include "codec/h2/client_settings.h"
#include "observe/event_log.h"
#include "observe/metrics.h"
#include "tls/client_context.h"
#include "tls/per_core.h"
#include "upstream/service_config.h"

namespace doorward::upstream {

struct ConnectionSettings {
  loop::Loop& loop;
  tls::PerCore& tls_core;
  observe::EventLog& events;
  loop::Gate& gate;  // of what serves shared connections
  const ServiceConfig& service;
  observe::ServiceSeries& series;
  std::shared_ptr<const tls::ClientContext> tls;  // null when no endpoint speaks TLS
  codec::h1::ClientSettings http1;
  codec::h2::ClientSettings http2;
  codec::h2::ClientSettings http2_over_tls;
};

}  // namespace doorward::upstream
