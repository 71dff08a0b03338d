// Refusal: why an HTTP/2 message is malformed or out of bounds, beside what h1::Refusal has names
// for (limits, methods, targets, hosts, Content-Length: the same rules, the same codes). Codes are
// stable: metrics, replies and docs name them.
#pragma once

#include <span>

#include "codec/h1/refusal.h"
#include "codec/request_sink.h"

// identifier (= code), status to answer a request with, sentence
#define DOORWARD_H2_REFUSALS(X)                                                                   \
  X(unknown_pseudo_header, 400, "A pseudo-header is unknown, or has no place in this message.")   \
  X(pseudo_header_doubled, 400, "A pseudo-header comes twice.")                                   \
  X(pseudo_header_late, 400, "A pseudo-header comes after an ordinary header.")                   \
  X(pseudo_header_missing, 400, "A required pseudo-header is missing or empty.")                  \
  X(pseudo_header_in_trailers, 400, "A pseudo-header comes in the trailers.")                     \
  X(bad_scheme, 400, "The scheme is neither http nor https.")                                     \
  X(header_name_upper_case, 400, "A header's name has a letter in upper case.")                   \
  X(bad_header_value, 400, "A header's value has a character or whitespace that is not allowed.") \
  X(connection_specific_header, 400, "A header is about the connection, which HTTP/2 forbids.")   \
  X(bad_te, 400, "TE says something other than trailers.")                                        \
  X(content_length_mismatch, 400, "The body is not as long as Content-Length says.")              \
  X(trailers_without_end, 400, "A second header block comes that does not end the message.")      \
  X(protocol_without_connect, 400, "A :protocol comes in a request that is not CONNECT.")         \
  X(protocol_unsupported, 501, "CONNECT is offered for the protocol websocket only.")             \
  X(data_before_head, 400, "Content comes before the head.")                                      \
  X(bad_stream_frame, 400, "A frame breaks the rules of its stream: its window, or its end.")

namespace doorward::codec::h2 {

enum class Refusal : std::uint8_t {
  none,
#define DOORWARD_H2_REFUSAL_ENUM(id, status, text) id,
  DOORWARD_H2_REFUSALS(DOORWARD_H2_REFUSAL_ENUM)
#undef DOORWARD_H2_REFUSAL_ENUM
      count_
};

std::string_view to_string(Refusal refusal);  // "bad_te"; "none"
int status_of(Refusal refusal);               // 400, 501; 200 for none
std::string_view sentence(Refusal refusal);   // for people

// As the sink gets it. Numbers of h1's refusals stay theirs; HTTP/2's own follow behind them.
BadRequest bad_request(h1::Refusal refusal);
BadRequest bad_request(Refusal refusal);
// The codes of all refusals by these numbers, for metrics; the first is "none".
std::span<const std::string_view> refusal_codes();
// The number of one; 0 for what is none of them.
unsigned number_of_refusal(std::string_view code);
// RFC 9113 §8.1.1: a malformed message is a stream error. What is merely too large, or not
// offered, is a sound message with a sound answer.
inline bool is_malformed(const BadRequest& why) { return why.status == 400; }

}  // namespace doorward::codec::h2
