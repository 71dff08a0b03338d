// finish: ends the upload and the attempt, counts, and writes the access log's line.
#include "exchange/core.h"
#include "exchange/exchange.h"
#include "exchange/grpc.h"
#include "translate/grpc/status.h"

namespace doorward::exchange::steps {
namespace {

using std::chrono::duration_cast;

observe::StepTime step_time(TimePoint from, TimePoint to) {
  if (from == TimePoint{} || to == TimePoint{}) return {};
  return observe::StepTime(micros(from, to));
}

void count(Exchange& x, TimePoint now) {
  if (x.matched != nullptr) {
    x.core.metrics()
        .route(x.matched->slot)
        .record(x.status, micros(x.times.begun, x.tunnelled ? x.times.first_byte : now),
                x.client_stream.bytes_received(), x.client_stream.bytes_sent());
    if (x.grpc) {
      x.core.metrics()
          .route(x.matched->slot)
          .add_value(observe::Metric::route_grpc_responses,
                     translate::grpc::parse_status(x.grpc.status));
    }
    if (x.matched->chain.has_log()) x.matched->chain.run_log(x, x.chain_state);
  }
}

void tell_times(const Exchange& x, TimePoint now, observe::AccessRecord& record) {
  const Times& times = x.times;
  // A response that did not come was waited for until it was given up.
  const bool in_vain = times.first_byte == TimePoint{} && times.sent != TimePoint{};
  const TimePoint answer = in_vain ? times.replied : times.first_byte;
  record.total = observe::StepTime(micros(times.begun, now));
  record.head = step_time(x.incoming.begun, times.begun);
  record.request_policies = step_time(times.begun, times.policies);
  record.retried = step_time(times.first_attempt, times.attempt());
  record.queue = step_time(times.queued, times.placed);
  record.connect = step_time(times.opening, times.connected);
  record.send = step_time(times.connected, times.sent);
  record.upload = step_time(times.sent, times.uploaded);
  record.first_byte = step_time(times.sent, answer);
  record.response = step_time(answer, now);
  record.response_policies = step_time(times.first_byte, times.answered);
  record.body = step_time(times.streamed, now);
}

void log(Exchange& x, TimePoint now) {
  observe::AccessLog* log = x.snapshot->access_log.get();
  if (log == nullptr) return;
  observe::AccessRecord record;
  record.time = x.core.loop().wall_now() - duration_cast<WallTime::duration>(now - x.times.begun);
  record.request_id = x.request_id();
  record.listener = x.listener.config->name;
  record.client_ip = x.client_ip();
  record.method = x.request().method_text;
  record.host = x.host();
  record.path = x.asked_path();
  record.query = {x.asked_query()};
  record.protocol = to_string(x.request().version);
  const tls::ClientTls& tls = x.connection.told();
  record.tls_version = tls.version;
  record.tls_sni = tls.sni;
  record.tls_client = tls.subject();
  record.status = x.status;
  record.bytes_in = x.client_stream.bytes_received();
  record.bytes_out = x.client_stream.bytes_sent();
  record.route = x.route();
  if (x.service != nullptr) record.service = x.service->config().name;
  if (x.attempt.endpoint) record.endpoint = x.attempt.endpoint->url();
  record.attempts = x.attempts;
  record.user_agent = x.request().headers.value(http::HeaderName::user_agent);
  record.grpc_status = x.grpc.status;
  record.error = x.error_code;
  record.fault = x.backend_fault;
  record.policy = x.deciding_policy;
  tell_times(x, now, record);
  log->core(x.core.index()).write(record, x.core.metrics());
}

Step end(Exchange& x) {
  const TimePoint now = x.core.loop().now();
  if (x.grpc) note_grpc_status(x);
  x.complete_attempt();
  count(x, now);
  log(x, now);
  return Step::done;
}

loop::Task<Step> end_after_upload(Exchange& x) {
  co_await x.stop_upload();
  co_return end(x);
}

}  // namespace

loop::Task<Step> finish(Exchange& x) {
  x.client_stream.watch_client(nullptr);
  if (x.uploads.count() > 0) return end_after_upload(x);
  return end(x);
}

}  // namespace doorward::exchange::steps
