// Endpoint: one address of a service as one core sees it: its pool, and whether it refused a
// connection just now. A name has as many endpoints as it has addresses.
// Owner: its holders (EndpointRef) together: the Service as long as it lists it, and the attempts
// on their way to it, so that an address that left its name's answer goes with its last attempt.
// One thread only.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "loop/address.h"
#include "loop/socket.h"
#include "tls/failure_watch.h"
#include "upstream/connection_settings.h"
#include "upstream/pool.h"

namespace doorward::upstream {

class EndpointRef;

class Endpoint final : tls::FailureWatch {
 public:
  // `number` is its own within its service and never used again. `queue` and `settings` outlive the
  // endpoint.
  Endpoint(const ConnectionSettings& settings, Queue& queue, const EndpointConfig& config,
           const loop::Address& address, std::uint32_t number);

  std::uint32_t number() const { return number_; }
  const loop::Address& address() const { return address_; }
  // As configured, with the address in the place of a name.
  const std::string& url() const { return url_; }
  // What Host says when it is the endpoint's own: the name, if it has one.
  const std::string& authority() const { return authority_; }
  Pool& pool() { return pool_; }

  // A new connection, for which room was reserved in the pool; a failure gives that back. Errors
  // carry the reason: connect_failed, connect_timeout, backend_tls_failed, which may be tried
  // elsewhere; out_of_resources, which may not. `preamble` goes out before anything else (a PROXY
  // header). `alone`: as the room was reserved; it speaks HTTP/1.1, unless the backend's ALPN
  // refuses that. `client`: the part of the deadline that a client chose, which may be so short
  // that its end says nothing of the endpoint.
  loop::Task<Result<std::unique_ptr<Connection>>> connect(Deadline deadline, bool alone,
                                                          std::string_view preamble = {},
                                                          Deadline client = Deadline::never());

  // Refused or timed out just now: others are tried first. The longer it does, the longer.
  bool failing(TimePoint now) const { return now < failing_until_; }

 private:
  friend class EndpointRef;
  struct Opened {
    std::unique_ptr<loop::ByteStream> bytes;
    bool http2 = false;
  };
  loop::Task<Result<Opened>> open(Deadline deadline, std::string_view preamble,
                                  const tls::Target& target);
  loop::Task<Result<Opened>> open_alone(Deadline deadline, bool& alone);
  loop::Task<Result<Opened>> open_tls(std::unique_ptr<loop::Socket> socket, Deadline deadline,
                                      const tls::Target& target);
  std::unique_ptr<Connection> share(std::unique_ptr<loop::ByteStream> bytes);
  static loop::Task<void> serve(EndpointRef keep, codec::h2::ClientConnection& connection);
  // A client gave it too little time for the failure to say anything of the endpoint.
  bool is_hasty(const Error& error, TimePoint begun, Deadline client);
  Failure failed(Error error, bool hasty);
  Failure tls_failed(Error error);
  Failure short_of(Error error);
  void on_tls_failed(const Error& error) override;
  void tell_tls_failed(const Error& error);
  void tell_unreachable(const Error& error);
  void fail_for_a_while();
  void works_again();

  const ConnectionSettings& settings_;
  const loop::Address address_;
  const std::uint32_t number_;
  std::uint32_t holders_ = 0;
  const bool speaks_tls_;
  const tls::Target target_;        // of TLS
  const tls::Target http1_target_;  // … for connections that must not become HTTP/2
  const std::string url_;
  const std::string authority_;
  Pool pool_;
  TimePoint failing_until_{};
  Duration failing_for_{};
  bool refuses_late_ = false;  // why it fails: see on_tls_failed()
  bool told_unreachable_ = false;
  Duration waited_in_vain_{};  // by clients in a hurry, since the last connection
};

// A hold on an endpoint. Counted without atomics: one core's own.
class EndpointRef {
 public:
  EndpointRef() = default;
  explicit(false) EndpointRef(Endpoint* endpoint) : endpoint_(endpoint) {
    if (endpoint_ != nullptr) ++endpoint_->holders_;
  }
  EndpointRef(const EndpointRef& other) : EndpointRef(other.endpoint_) {}
  EndpointRef(EndpointRef&& other) noexcept : endpoint_(std::exchange(other.endpoint_, nullptr)) {}
  EndpointRef& operator=(EndpointRef other) noexcept {
    std::swap(endpoint_, other.endpoint_);
    return *this;
  }
  ~EndpointRef() {
    if (endpoint_ != nullptr && --endpoint_->holders_ == 0) delete endpoint_;
  }

  Endpoint* get() const { return endpoint_; }
  Endpoint* operator->() const { return endpoint_; }
  Endpoint& operator*() const { return *endpoint_; }
  explicit operator bool() const { return endpoint_ != nullptr; }

 private:
  Endpoint* endpoint_ = nullptr;
};

// The endpoints that were asked in vain for one piece of work; by number, since they may go.
class Tried {
 public:
  static constexpr std::size_t kMost = 3;

  void add(const Endpoint& endpoint) {
    if (count_ < kMost) numbers_[count_++] = endpoint.number();
  }
  bool has(const Endpoint& endpoint) const {
    for (std::size_t i = 0; i < count_; ++i) {
      if (numbers_[i] == endpoint.number()) return true;
    }
    return false;
  }
  bool full() const { return count_ == kMost; }

 private:
  std::array<std::uint32_t, kMost> numbers_{};
  std::uint32_t count_ = 0;
};

}  // namespace doorward::upstream
