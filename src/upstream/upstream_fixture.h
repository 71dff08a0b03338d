// UpstreamTest: the fixture of tests of pools and endpoints: what they are made with, an endpoint
// that is never connected to, and a count of how often the queue was asked to be served. Only
// *_test.cc files include it.
#pragma once

#include <optional>

#include "loop/loop_fixture.h"
#include "upstream/queue.h"

namespace doorward::upstream {

class UpstreamTest : public loop::LoopTest, protected Queue::Server {
 protected:
  void SetUp() override {
    LoopTest::SetUp();
    tls_.emplace(*loop_);
    settings_.emplace(*loop_, *tls_, events_, connections_, service_, series_, nullptr);
    Queue::Server& server = *this;
    queue_.emplace(*loop_, server);
  }

  EndpointRef make_endpoint(std::uint32_t number, std::string_view address = "127.0.0.1:9001") {
    return new Endpoint(*settings_, *queue_,
                        parse_endpoint("http://" + std::string(address)).endpoint,
                        *loop::Address::parse(address), number);
  }

  // Waits and writes down how it ended: the endpoint's number, or minus the kind of error.
  static loop::Task<void> wait(Queue& queue, Waiter& waiter, Deadline deadline,
                               std::vector<int>& ends) {
    Result<Place> got = co_await queue.wait(waiter, deadline);
    ends.push_back(got ? static_cast<int>(got->endpoint->number())
                       : -static_cast<int>(got.error().kind));
  }

  // As whoever watches sees it.
  std::uint64_t connections_open() const {
    constexpr auto kCell = observe::kMetricOffsets[static_cast<std::size_t>(
        observe::Metric::service_connections_open)];
    return shard_.find(observe::Scope::service, 0)[kCell].get();
  }

  void serve_queue() override { ++asked_to_serve_; }
  void on_connect_failed(const Error&) override {}

  int asked_to_serve_ = 0;
  ServiceConfig service_;
  observe::EventLog events_;
  observe::Metrics metrics_;
  observe::MetricsShard& shard_ = metrics_.make_shard();
  observe::ServiceSeries series_ = shard_.service(0);
  loop::Gate connections_;
  std::optional<tls::PerCore> tls_;
  std::optional<ConnectionSettings> settings_;
  std::optional<Queue> queue_;
};

}  // namespace doorward::upstream
