// Endpoints: what the admin listener answers, as a function of the request; knows no sockets.
// Owner: AdminServer. Subtle: nothing here may be reachable for a web page that runs in the
// operator's browser, hence the checks of Host and token before anything is told.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "admin/admin_source.h"

namespace doorward::admin {

// Views live as long as the request.
struct AdminRequest {
  std::string_view id;
  std::string_view method;
  std::string_view target;         // path and query
  std::string_view host;           // host[:port]; empty where HTTP/1.0 sends none
  std::string_view authorization;  // the only such field, else empty
  bool has_body = false;
};

struct AdminReply {
  std::uint16_t status = 200;
  std::string_view content_type;  // static text
  std::string body;
  bool tells_methods = false;   // Allow is due (RFC 9110 §15.5.6)
  bool asks_for_token = false;  // WWW-Authenticate is due (RFC 9110 §15.5.2)
};

inline constexpr std::string_view kAllowedMethods = "GET, HEAD";
inline constexpr std::string_view kChallenge = "Bearer realm=\"doorward admin\"";  // RFC 6750 §3

class Endpoints {
 public:
  // `source` outlives it; `token` is not empty.
  Endpoints(AdminSource& source, std::string token);

  // Loopback listeners answer to IP literals and localhost only: a name of somebody else's that
  // resolves to 127.0.0.1 is how a web page gets at local servers (DNS rebinding).
  void guard_host(bool on) { guards_host_ = on; }
  AdminReply answer(const AdminRequest& request) const;

 private:
  bool is_authorized(std::string_view authorization) const;
  AdminReply health(const AdminRequest& request) const;
  AdminReply readiness(const AdminRequest& request) const;
  AdminReply metrics(const AdminRequest& request) const;
  AdminReply config(const AdminRequest& request) const;
  AdminReply overview(const AdminRequest& request) const;

  struct Endpoint {
    std::string_view path;
    std::string_view meaning;
    bool needs_token;
    AdminReply (Endpoints::*answer)(const AdminRequest& request) const;
  };
  static const Endpoint kEndpoints[];

  AdminSource& source_;
  const std::string token_;
  bool guards_host_ = false;
};

// application/problem+json (RFC 9457) in the form of Doorward's other replies.
AdminReply problem(std::uint16_t status, std::string_view code, std::string_view detail,
                   std::string_view request_id);

}  // namespace doorward::admin
