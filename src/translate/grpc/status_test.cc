// Names and numbers, and which status a reply is.
#include "translate/grpc/status.h"

#include <gtest/gtest.h>
#include <string>

namespace doorward::translate::grpc {
namespace {

TEST(Status, NumbersAndNamesBelongTogether) {
  EXPECT_EQ(to_string(Status::ok), "OK");
  EXPECT_EQ(to_string(Status::deadline_exceeded), "DEADLINE_EXCEEDED");
  EXPECT_EQ(to_string(Status::unauthenticated), "UNAUTHENTICATED");
  for (unsigned i = 0; i < kStatuses; ++i) {
    EXPECT_EQ(number_of(static_cast<Status>(i)), std::to_string(i));
    EXPECT_EQ(parse_status(std::to_string(i)), i);
  }
}

TEST(Status, WhatIsNoNumberIsNone) {
  for (const std::string_view text : {"", "17", "-1", "00", "01", "0 ", "OK", "100"}) {
    EXPECT_EQ(parse_status(text), kStatuses) << text;
  }
}

struct Case {
  std::uint16_t http;
  std::string_view code;
  Status status;
};

class StatusOfReplies : public ::testing::TestWithParam<Case> {};

TEST_P(StatusOfReplies, IsWhatTheGuideSays) {
  EXPECT_EQ(status_for(GetParam().http, GetParam().code), GetParam().status)
      << GetParam().http << " " << GetParam().code;
}

INSTANTIATE_TEST_SUITE_P(
    All, StatusOfReplies,
    ::testing::Values(
        Case{400, "bad_request", Status::internal},
        Case{400, "grpc_timeout_invalid", Status::internal}, Case{401, "", Status::unauthenticated},
        Case{403, "ip_denied", Status::permission_denied},
        Case{404, "no_route", Status::unimplemented},
        Case{405, "method_not_allowed", Status::unimplemented},
        Case{408, "body_timeout", Status::deadline_exceeded},
        Case{413, "body_too_large", Status::resource_exhausted},
        Case{429, "", Status::resource_exhausted},
        Case{431, "head_too_large", Status::resource_exhausted},
        Case{499, "client_closed", Status::cancelled},
        Case{500, "internal_error", Status::internal}, Case{501, "", Status::unimplemented},
        Case{502, "connect_failed", Status::unavailable},
        Case{503, "no_endpoint", Status::unavailable},
        Case{504, "first_byte_timeout", Status::deadline_exceeded},
        Case{504, "grpc_deadline_exceeded", Status::deadline_exceeded},
        Case{504, "connect_timeout", Status::unavailable}, Case{200, "", Status::unknown},
        Case{308, "", Status::unknown}, Case{418, "", Status::unknown}));

}  // namespace
}  // namespace doorward::translate::grpc
