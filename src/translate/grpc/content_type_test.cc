// Which content types are gRPC, and how they are written.
#include "translate/grpc/content_type.h"

#include <gtest/gtest.h>

namespace doorward::translate::grpc {
namespace {

struct Case {
  std::string_view value;
  Wire wire;
  std::string_view format;
};

class ContentTypes : public ::testing::TestWithParam<Case> {};

TEST_P(ContentTypes, AreRead) {
  const ContentType type = read_content_type(GetParam().value);
  EXPECT_EQ(type.wire, GetParam().wire) << GetParam().value;
  EXPECT_EQ(type.format, GetParam().format) << GetParam().value;
}

INSTANTIATE_TEST_SUITE_P(
    All, ContentTypes,
    ::testing::Values(
        Case{"application/grpc", Wire::grpc, ""},
        Case{"application/grpc+proto", Wire::grpc, "+proto"},
        Case{"application/grpc+json", Wire::grpc, "+json"},
        Case{"Application/GRPC+Proto", Wire::grpc, "+Proto"},
        Case{"application/grpc; charset=utf-8", Wire::grpc, ""},
        Case{"application/grpc+proto ;x=y", Wire::grpc, "+proto"},
        Case{"application/grpc-web", Wire::web, ""},
        Case{"application/grpc-web+proto", Wire::web, "+proto"},
        Case{"application/grpc-web-text", Wire::web_text, ""},
        Case{"application/grpc-web-text+proto", Wire::web_text, "+proto"}, Case{"", Wire::none, ""},
        Case{"application/json", Wire::none, ""}, Case{"application/grp", Wire::none, ""},
        Case{"application/grpcx", Wire::none, ""}, Case{"application/grpc+", Wire::none, ""},
        Case{"application/grpc+a b", Wire::none, ""}, Case{"application/grpc-text", Wire::none, ""},
        Case{"application/grpc-web-", Wire::none, ""},
        Case{"application/grpc-web-texts", Wire::none, ""},
        Case{"text/application/grpc", Wire::none, ""}));

TEST(ContentType, WebIsNotPlainGrpc) {
  EXPECT_TRUE(is_grpc("application/grpc+proto"));
  EXPECT_FALSE(is_grpc("application/grpc-web"));
  EXPECT_TRUE(is_grpc_web("application/grpc-web"));
  EXPECT_TRUE(is_grpc_web("application/grpc-web-text+proto"));
  EXPECT_FALSE(is_grpc_web("application/grpc"));
}

TEST(ContentType, IsWrittenAsItWasRead) {
  Arena arena;
  for (const std::string_view value :
       {"application/grpc", "application/grpc+json", "application/grpc-web+proto",
        "application/grpc-web-text", "application/grpc-web-text+thrift"}) {
    EXPECT_EQ(write_content_type(read_content_type(value), arena), value);
  }
  EXPECT_EQ(write_content_type({Wire::web_text, "+proto"}, arena),
            "application/grpc-web-text+proto");
}

}  // namespace
}  // namespace doorward::translate::grpc
