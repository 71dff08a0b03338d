// The reason phrases of IANA's registry of status codes, and a fallback by class.
// Owner: nobody; static text.
#include "http/status.h"

namespace doorward::http {
namespace {

std::string_view class_phrase(int status) {
  switch (status / 100) {
    case 1:
      return "Informational";
    case 2:
      return "Success";
    case 3:
      return "Redirection";
    case 4:
      return "Client Error";
    case 5:
      return "Server Error";
    default:
      return {};
  }
}

}  // namespace

std::string_view reason_phrase(int status) {
  switch (status) {
#define DOORWARD_STATUS(code, text) \
  case code:                        \
    return text;
    DOORWARD_STATUS(100, "Continue")
    DOORWARD_STATUS(101, "Switching Protocols")
    DOORWARD_STATUS(102, "Processing")
    DOORWARD_STATUS(103, "Early Hints")
    DOORWARD_STATUS(200, "OK")
    DOORWARD_STATUS(201, "Created")
    DOORWARD_STATUS(202, "Accepted")
    DOORWARD_STATUS(203, "Non-Authoritative Information")
    DOORWARD_STATUS(204, "No Content")
    DOORWARD_STATUS(205, "Reset Content")
    DOORWARD_STATUS(206, "Partial Content")
    DOORWARD_STATUS(207, "Multi-Status")
    DOORWARD_STATUS(208, "Already Reported")
    DOORWARD_STATUS(226, "IM Used")
    DOORWARD_STATUS(300, "Multiple Choices")
    DOORWARD_STATUS(301, "Moved Permanently")
    DOORWARD_STATUS(302, "Found")
    DOORWARD_STATUS(303, "See Other")
    DOORWARD_STATUS(304, "Not Modified")
    DOORWARD_STATUS(305, "Use Proxy")
    DOORWARD_STATUS(307, "Temporary Redirect")
    DOORWARD_STATUS(308, "Permanent Redirect")
    DOORWARD_STATUS(400, "Bad Request")
    DOORWARD_STATUS(401, "Unauthorized")
    DOORWARD_STATUS(402, "Payment Required")
    DOORWARD_STATUS(403, "Forbidden")
    DOORWARD_STATUS(404, "Not Found")
    DOORWARD_STATUS(405, "Method Not Allowed")
    DOORWARD_STATUS(406, "Not Acceptable")
    DOORWARD_STATUS(407, "Proxy Authentication Required")
    DOORWARD_STATUS(408, "Request Timeout")
    DOORWARD_STATUS(409, "Conflict")
    DOORWARD_STATUS(410, "Gone")
    DOORWARD_STATUS(411, "Length Required")
    DOORWARD_STATUS(412, "Precondition Failed")
    DOORWARD_STATUS(413, "Content Too Large")
    DOORWARD_STATUS(414, "URI Too Long")
    DOORWARD_STATUS(415, "Unsupported Media Type")
    DOORWARD_STATUS(416, "Range Not Satisfiable")
    DOORWARD_STATUS(417, "Expectation Failed")
    DOORWARD_STATUS(421, "Misdirected Request")
    DOORWARD_STATUS(422, "Unprocessable Content")
    DOORWARD_STATUS(423, "Locked")
    DOORWARD_STATUS(424, "Failed Dependency")
    DOORWARD_STATUS(425, "Too Early")
    DOORWARD_STATUS(426, "Upgrade Required")
    DOORWARD_STATUS(428, "Precondition Required")
    DOORWARD_STATUS(429, "Too Many Requests")
    DOORWARD_STATUS(431, "Request Header Fields Too Large")
    DOORWARD_STATUS(451, "Unavailable For Legal Reasons")
    DOORWARD_STATUS(500, "Internal Server Error")
    DOORWARD_STATUS(501, "Not Implemented")
    DOORWARD_STATUS(502, "Bad Gateway")
    DOORWARD_STATUS(503, "Service Unavailable")
    DOORWARD_STATUS(504, "Gateway Timeout")
    DOORWARD_STATUS(505, "HTTP Version Not Supported")
    DOORWARD_STATUS(506, "Variant Also Negotiates")
    DOORWARD_STATUS(507, "Insufficient Storage")
    DOORWARD_STATUS(508, "Loop Detected")
    DOORWARD_STATUS(510, "Not Extended")
    DOORWARD_STATUS(511, "Network Authentication Required")
#undef DOORWARD_STATUS
    default:
      return class_phrase(status);
  }
}

}  // namespace doorward::http
