#include "codec/h2/head_reader.h"

#include <array>
#include <cstring>

#include "codec/h1/authority.h"
#include "codec/h1/message_fields.h"
#include "http/field.h"

namespace doorward::codec::h2 {
namespace {

using http::HeaderName;

// RFC 9113 §6.5.2: what a field counts in SETTINGS_MAX_HEADER_LIST_SIZE beyond its text.
constexpr std::uint64_t kFieldOverhead = 32;

// RFC 9113 §8.2.1: a name is a token without upper case.
constexpr std::array<bool, 256> kNameCharacters = [] {
  std::array<bool, 256> table = http::detail::kTokenCharacters;
  for (int c = 'A'; c <= 'Z'; ++c) table[static_cast<unsigned>(c)] = false;
  return table;
}();

bool is_name(std::string_view name) {
  for (char c : name) {
    if (!kNameCharacters[static_cast<unsigned char>(c)]) return false;
  }
  return true;
}

bool has_upper(std::string_view name) {
  for (char c : name) {
    if (c >= 'A' && c <= 'Z') return true;
  }
  return false;
}

// A name with underscores that some programs take for a known one, as in HTTP/1.1.
bool is_ambiguous(std::string_view name) {
  if (std::memchr(name.data(), '_', name.size()) == nullptr) return false;
  char dashed[64];
  if (name.size() > sizeof dashed) return false;
  for (std::size_t i = 0; i < name.size(); ++i) dashed[i] = name[i] == '_' ? '-' : name[i];
  return http::classify({dashed, name.size()}) != HeaderName::other;
}

// RFC 9113 §8.2.2.
bool is_connection_specific(HeaderName id) {
  return id == HeaderName::connection || id == HeaderName::proxy_connection ||
         id == HeaderName::keep_alive || id == HeaderName::transfer_encoding ||
         id == HeaderName::upgrade;
}

// The request line's own faults have no meaning here; what they stand for is a bad target.
h1::Refusal as_target(h1::Refusal refusal) {
  switch (refusal) {
    case h1::Refusal::bad_request_line:
    case h1::Refusal::no_version:
    case h1::Refusal::bad_version:
    case h1::Refusal::version_unsupported:
      return h1::Refusal::bad_target;
    default:
      return refusal;
  }
}

}  // namespace

void HeadReader::begin(Kind kind, Arena& arena, http::HeaderList& into,
                       const h1::ParseLimits& limits) {
  *this = HeadReader();
  kind_ = kind;
  arena_ = &arena;
  headers_ = &into;
  limits_ = limits;
}

void HeadReader::field(std::string_view name, std::string_view value) {
  bytes_ += name.size() + value.size() + kFieldOverhead;
  ++count_;
  if (refused()) return;
  if (bytes_ > limits_.head_bytes) return refuse(h1::Refusal::head_too_large);
  if (name.empty()) return refuse(h1::Refusal::empty_header_name);
  if (name[0] == ':') return pseudo_field(name, value);
  ordinary_field(name, value);
}

HeadReader::Pseudo HeadReader::pseudo_of(std::string_view name) {
  if (name == ":method") return kMethod;
  if (name == ":scheme") return kScheme;
  if (name == ":authority") return kAuthority;
  if (name == ":path") return kPath;
  if (name == ":protocol") return kProtocol;
  if (name == ":status") return kStatus;
  return kNone;
}

// RFC 9113 §8.3: known ones of this kind of message, once, before all others.
void HeadReader::pseudo_field(std::string_view name, std::string_view value) {
  if (kind_ == Kind::trailers) return refuse(Refusal::pseudo_header_in_trailers);
  const Pseudo pseudo = pseudo_of(name);
  if (pseudo == kNone || (pseudo == kStatus) != (kind_ == Kind::response)) {
    return refuse(Refusal::unknown_pseudo_header);
  }
  if (has(pseudo)) return refuse(Refusal::pseudo_header_doubled);
  if (!headers_->empty()) return refuse(Refusal::pseudo_header_late);
  seen_ |= static_cast<std::uint8_t>(1u << pseudo);
  if (pseudo == kPath && value.size() > limits_.target_length) {
    return refuse(h1::Refusal::target_too_long);
  }
  pseudo_[pseudo] = arena_->copy(value);
}

void HeadReader::check_name(std::string_view name, HeaderName id) {
  if (is_connection_specific(id)) return refuse(Refusal::connection_specific_header);
  if (id == HeaderName::other && is_ambiguous(name)) refuse(h1::Refusal::ambiguous_header_name);
}

void HeadReader::ordinary_field(std::string_view name, std::string_view value) {
  if (headers_->size() >= limits_.header_count) return refuse(h1::Refusal::too_many_headers);
  if (name.size() + value.size() + 2 > limits_.line_length) {
    return refuse(h1::Refusal::header_line_too_long);
  }
  if (!is_name(name)) {
    return has_upper(name) ? refuse(Refusal::header_name_upper_case)
                           : refuse(h1::Refusal::bad_header_name);
  }
  if (!http::is_field_value(value)) return refuse(Refusal::bad_header_value);
  const HeaderName id = http::classify(name);
  check_name(name, id);
  if (refused()) return;
  if (id == HeaderName::te && !http::equal_ignore_case(value, "trailers")) {
    return refuse(Refusal::bad_te);
  }
  const std::string_view kept = id == HeaderName::other ? arena_->copy(name) : canonical(id);
  headers_->append({kept, arena_->copy(value), 0, id});
}

// RFC 9113 §8.3.1 and RFC 8441 §4.
void HeadReader::check_pseudo() {
  if (!has(kMethod) || pseudo_[kMethod].empty()) return refuse(Refusal::pseudo_header_missing);
  const bool connect = pseudo_[kMethod] == "CONNECT";
  if (has(kProtocol) && !connect) return refuse(Refusal::protocol_without_connect);
  if (connect && !has(kProtocol)) return refuse(h1::Refusal::connect_unsupported);
  if (!has(kScheme) || !has(kPath) || pseudo_[kPath].empty()) {
    return refuse(Refusal::pseudo_header_missing);
  }
  const std::string_view scheme = pseudo_[kScheme];
  if (!http::equal_ignore_case(scheme, "http") && !http::equal_ignore_case(scheme, "https")) {
    return refuse(Refusal::bad_scheme);
  }
  if (connect && !http::equal_ignore_case(pseudo_[kProtocol], "websocket")) {
    refuse(Refusal::protocol_unsupported);
  }
}

// The line that HTTP/1.1 would have had, so that its rules judge method and target.
void HeadReader::read_request_line(http::RequestHead& head) {
  const std::string_view method = extended_connect() ? "GET" : pseudo_[kMethod];
  if (!http::is_token(method)) return refuse(h1::Refusal::bad_method);
  const std::string_view path = pseudo_[kPath];
  if (path[0] != '/' && path != "*") return refuse(h1::Refusal::target_form);
  const std::string_view line = arena_->join(method, " ", path, " HTTP/1.1");
  h1::Refusal refusal = h1::read_request_line(line, limits_, head);
  if (refusal == h1::Refusal::none) {
    h1::Target target;
    refusal = h1::read_target(head.target, head.method, target);
  }
  if (refusal != h1::Refusal::none) return refuse(as_target(refusal));
  head.version = http::Version::http2;
}

// RFC 9113 §8.3.1: :authority and Host must not name different hosts; one of them must be there.
// The head carries it as Host.
void HeadReader::read_host(http::RequestHead& head) {
  http::HeaderList& headers = head.headers;
  const std::size_t count = headers.count(HeaderName::host);
  if (count > 1) return refuse(h1::Refusal::host_doubled);
  const std::string_view host = headers.value(HeaderName::host);
  const std::string_view authority = pseudo_[kAuthority];
  if (count == 0 && !has(kAuthority)) return refuse(h1::Refusal::host_missing);
  if (has(kAuthority) && authority.find('@') != std::string_view::npos) {
    return refuse(h1::Refusal::target_userinfo);
  }
  if (has(kAuthority) && !h1::is_authority(authority)) return refuse(h1::Refusal::bad_host);
  if (count == 1 && !h1::is_authority(host)) return refuse(h1::Refusal::bad_host);
  if (count == 0) return headers.add(HeaderName::host, authority);
  const std::string_view port = http::equal_ignore_case(pseudo_[kScheme], "https") ? "443" : "80";
  if (has(kAuthority) && !h1::same_authority(authority, host, port)) {
    refuse(h1::Refusal::host_differs);
  }
}

void HeadReader::read_length(http::Version version) {
  h1::BodyFields body;
  const h1::Refusal refusal = h1::read_body_fields(*headers_, version, body);
  if (refusal != h1::Refusal::none) return refuse(refusal);
  has_length_ = body.has_length;
  length_ = body.length;
}

// RFC 9110 §10.1.1.
void HeadReader::read_expect() {
  for (const http::Header& header : headers_->values(HeaderName::expect)) {
    if (!http::equal_ignore_case(header.value, "100-continue")) {
      return refuse(h1::Refusal::unknown_expectation);
    }
    expects_continue_ = true;
  }
}

// RFC 9113 §8.2.3: crumbs become one field, since everything but HTTP/2 expects one.
void HeadReader::join_cookies() {
  if (!headers_->has(HeaderName::cookie) || headers_->count(HeaderName::cookie) < 2) return;
  std::size_t size = 0;
  for (const http::Header& crumb : headers_->values(HeaderName::cookie)) {
    size += crumb.value.size() + 2;
  }
  char* const all = arena_->bytes(size);
  char* at = all;
  for (const http::Header& crumb : headers_->values(HeaderName::cookie)) {
    if (at != all) at = static_cast<char*>(std::memcpy(at, "; ", 2)) + 2;
    if (!crumb.value.empty()) std::memcpy(at, crumb.value.data(), crumb.value.size());
    at += crumb.value.size();
  }
  headers_->set(HeaderName::cookie, {all, static_cast<std::size_t>(at - all)});
}

// A WebSocket's extended CONNECT as HTTP/1.1 would have said it (RFC 8441 §5, RFC 6455 §4.1); the
// key, which HTTP/2 has none of, is added by the stream.
void HeadReader::read_connect(http::RequestHead& head) {
  if (has_length_ && length_ > 0) return refuse(h1::Refusal::body_not_allowed);
  head.headers.add(HeaderName::connection, "upgrade");
  head.headers.add(HeaderName::upgrade, "websocket");
}

bool HeadReader::finish(http::RequestHead& head) {
  if (!refused()) check_pseudo();
  if (!refused()) read_request_line(head);
  if (!refused()) read_host(head);
  if (!refused()) read_length(head.version);
  // RFC 9110 §9.3.8: a TRACE request has no content.
  if (head.method == http::Method::trace && length_ > 0) refuse(h1::Refusal::body_not_allowed);
  if (!refused()) read_expect();
  if (refused()) return false;
  join_cookies();
  if (extended_connect()) read_connect(head);
  return !refused();
}

// RFC 9113 §8.3.2 and §8.6: three digits; 101 has no place in HTTP/2.
bool HeadReader::finish(http::ResponseHead& head) {
  if (refused()) return false;
  const std::string_view status = pseudo_[kStatus];
  if (!has(kStatus)) refuse(Refusal::pseudo_header_missing);
  int number = 0;
  for (char c : status) number = c >= '0' && c <= '9' ? number * 10 + (c - '0') : 10'000;
  if (status.size() != 3 || number < 100 || number > 599 || number == 101) {
    refuse(h1::Refusal::bad_status);
  }
  if (!refused()) read_length(http::Version::http2);
  head.status = static_cast<std::uint16_t>(number);
  head.version = http::Version::http2;
  head.reason = {};
  const bool bodiless = number / 100 == 1 || number == 204;
  if (bodiless && length_ > 0) refuse(h1::Refusal::body_not_allowed);
  return !refused();
}

bool HeadReader::finish_trailers() {
  for (const http::Header& trailer : *headers_) {
    const h1::TrailerRule rule = h1::trailer_rule(trailer.id);
    if (rule == h1::TrailerRule::refuse) refuse(h1::Refusal::forbidden_trailer);
    if (rule == h1::TrailerRule::drop) headers_->remove(trailer);
  }
  return !refused();
}

}  // namespace doorward::codec::h2
