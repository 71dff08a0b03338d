// Refusal: why bytes are not HTTP/1.x as Doorward accepts it. Codes are stable (metrics, replies
// and docs name them); one table gives each its status and a sentence for people.
// A backend's broken response has the same codes; the exchange answers it with 502.
#pragma once

#include <cstdint>
#include <string_view>

// identifier (= code), status to answer a request with, sentence
#define DOORWARD_H1_REFUSALS(X)                                                                \
  X(head_too_large, 431, "The head is larger than the limit.")                                 \
  X(header_line_too_long, 431, "A header line is longer than the limit.")                      \
  X(too_many_headers, 431, "There are more headers than the limit allows.")                    \
  X(target_too_long, 414, "The request target is longer than the limit.")                      \
  X(method_too_long, 501, "The method is longer than 32 bytes.")                               \
  X(tls_on_cleartext, 400, "A TLS handshake came where cleartext HTTP is expected.")           \
  X(http2_preface, 505, "An HTTP/2 connection preface came where HTTP/1.1 is expected.")       \
  X(too_many_empty_lines, 400, "More than 2 empty lines come before the request line.")        \
  X(bad_request_line, 400, "The request line is not `METHOD target HTTP/1.1`.")                \
  X(bad_method, 400, "The method is not a token, or a known method in the wrong case.")        \
  X(connect_unsupported, 501, "CONNECT is not offered.")                                       \
  X(bad_target, 400, "The request target has a character that is not allowed.")                \
  X(target_not_ascii, 400, "The request target has a byte that is not ASCII.")                 \
  X(target_fragment, 400, "The request target has a fragment.")                                \
  X(target_form, 400, "The request target has a form that does not fit the method.")           \
  X(target_scheme, 400, "The request target has a scheme other than http and https.")          \
  X(target_userinfo, 400, "The request target carries user information.")                      \
  X(no_version, 400, "The request line has no version (HTTP/0.9).")                            \
  X(bad_version, 400, "The version is malformed.")                                             \
  X(version_unsupported, 505, "The version is neither HTTP/1.0 nor HTTP/1.1.")                 \
  X(bare_cr, 400, "A carriage return stands without a line feed.")                             \
  X(bare_lf, 400, "A line ends in a line feed without a carriage return.")                     \
  X(control_byte, 400, "The head has a control byte.")                                         \
  X(leading_whitespace, 400, "Whitespace comes between the first line and the first header.")  \
  X(obs_fold, 400, "A header is folded over several lines.")                                   \
  X(space_before_colon, 400, "Whitespace comes before a header's colon.")                      \
  X(empty_header_name, 400, "A header has no name.")                                           \
  X(bad_header_name, 400, "A header's name has a character that is not allowed.")              \
  X(missing_colon, 400, "A header line has no colon.")                                         \
  X(ambiguous_header_name, 400,                                                                \
    "A header's name with underscores is taken for a known header by some programs.")          \
  X(host_missing, 400, "The Host header is missing.")                                          \
  X(host_doubled, 400, "There is more than one Host header.")                                  \
  X(bad_host, 400, "The host is not valid.")                                                   \
  X(host_differs, 400, "The Host header and the request target name different hosts.")         \
  X(bad_content_length, 400, "Content-Length is not one decimal number.")                      \
  X(content_length_doubled, 400, "There is more than one Content-Length header.")              \
  X(content_length_differs, 400, "There are Content-Length headers with different values.")    \
  X(content_length_with_transfer_encoding, 400,                                                \
    "Content-Length and Transfer-Encoding come together.")                                     \
  X(bad_transfer_encoding, 400, "Transfer-Encoding is malformed.")                             \
  X(transfer_encoding_doubled, 400, "Transfer-Encoding says chunked twice, or comes twice.")   \
  X(transfer_encoding_unsupported, 501, "Transfer-Encoding has a coding other than chunked.")  \
  X(transfer_encoding_not_chunked, 400, "The last transfer coding is not chunked.")            \
  X(transfer_encoding_on_http10, 400, "Transfer-Encoding came in an HTTP/1.0 message.")        \
  X(bad_connection, 400, "The Connection header is malformed.")                                \
  X(connection_names_essential, 400, "The Connection header names a header that must go on.")  \
  X(unknown_expectation, 417, "The Expect header asks for something other than 100-continue.") \
  X(body_not_allowed, 400, "A message that cannot have content announces some.")               \
  X(bad_status_line, 400, "The status line is not `HTTP/1.1 200 reason`.")                     \
  X(bad_status, 400, "The status is not a number from 100 to 599.")                            \
  X(too_many_interim, 400, "More than 16 interim (1xx) responses come.")                       \
  X(unexpected_upgrade, 400, "The backend switches protocols without having been asked.")      \
  X(bad_chunk_size, 400, "A chunk's size is not a hexadecimal number.")                        \
  X(chunk_size_overflow, 400, "A chunk's size is too large.")                                  \
  X(bad_chunk_extension, 400, "A chunk's extension has a byte that is not allowed.")           \
  X(chunk_extensions_too_long, 400, "A body's chunk extensions exceed 4 KiB.")                 \
  X(bad_chunk_end, 400, "A chunk or its size line does not end in CRLF.")                      \
  X(trailers_too_large, 431, "The trailers exceed 8 KiB, or number more than 32.")             \
  X(forbidden_trailer, 400, "A trailer has a name that is only allowed in the head.")

namespace doorward::codec::h1 {

enum class Refusal : std::uint8_t {
  none,
#define DOORWARD_H1_REFUSAL_ENUM(id, status, text) id,
  DOORWARD_H1_REFUSALS(DOORWARD_H1_REFUSAL_ENUM)
#undef DOORWARD_H1_REFUSAL_ENUM
      count_
};

std::string_view to_string(Refusal refusal);  // "bare_lf"; "none"
int status_of(Refusal refusal);               // 400, 414, 417, 431, 501, 505; 200 for none
std::string_view sentence(Refusal refusal);   // for people

}  // namespace doorward::codec::h1
