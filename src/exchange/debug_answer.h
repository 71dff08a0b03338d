// DebugAnswer: what a client that showed the debug token is told of its own request, in a header
// of the response: the route, the policies and what they said, where the request went, and how
// long each step took. docs/guide/operating.md shows one.
//
// Owner: run_debugged's frame; the Exchange points at it as long as it lives. Only such an exchange
// reads the clock at each step. Subtle: bytes of the request stand in the answer, so it is JSON in
// printable ASCII, and has a limit.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "exchange/steps.h"
#include "http/method.h"
#include "http/reply.h"
#include "loop/task.h"
#include "route/route_table.h"
#include "schema/diagnostics.h"

namespace doorward::exchange {

class DebugAnswer {
 public:
  // Bytes of the header's value at most. Some clients and proxies give all of a head 4 KiB.
  static constexpr std::size_t kMostBytes = 3 * 1024;

  explicit DebugAnswer(Exchange& x);
  DebugAnswer(const DebugAnswer&) = delete;
  DebugAnswer& operator=(const DebugAnswer&) = delete;
  ~DebugAnswer();

  // The step that came before ends here.
  void enter(Step step);

  // Of a policy: what it would have answered, or could not decide.
  void on_shadow_reply(const http::Reply& reply);
  void on_skipped(const http::Reply& instead);
  void on_no_route(const route::RouteTable& table, const route::RouteRequest& request);
  // There will be another attempt.
  void on_attempt_failed(const Error& why);

  // The response's head is about to go out: adds the answer to it.
  void tell();

 private:
  struct Note {
    std::size_t place;      // of the policy in its chain, where names may come twice
    std::string_view what;  // "would_answer"
    std::string reply;
  };
  static constexpr std::size_t kSteps = static_cast<std::size_t>(Step::done);

  void note(std::string_view what, const http::Reply& reply);
  schema::Json answer();
  schema::Json policies();
  void add_backend(schema::Json& json);
  schema::Json times() const;
  std::string server_timing() const;

  Exchange& x_;
  const TimePoint begun_;
  Step step_ = Step::done;  // which runs now, and since when
  TimePoint since_;
  std::array<std::chrono::nanoseconds, kSteps> spent_{};
  std::array<bool, kSteps> seen_{};
  std::vector<Note> notes_;
  schema::Json failed_ = schema::Json::array();  // attempts
  schema::Json result_, others_;                 // when no route took the request
  std::string_view backend_protocol_;
};

// Runs an exchange whose head has the field doorward-debug, which goes no further. Without the
// right token it runs like any other.
loop::Task<void> run_debugged(Exchange& x);

}  // namespace doorward::exchange
