// Announced and counted bodies, at and above the limit.
#include "policy/size_limit/size_limit.h"

#include <gtest/gtest.h>

#include "policy/testing/fake_context.h"
#include "policy/testing/read_policy.h"

namespace doorward::policy {
namespace {

using testing::errors_of_item;
using testing::FakeContext;
using testing::policy_of;

class SizeLimitTest : public ::testing::Test {
 protected:
  void SetUp() override { context.use_single(); }
  bool head_passes(std::string_view length) {
    context.request().headers.set(http::HeaderName::content_length, length);
    return passed(policy->on_request(context).take());
  }
  bool piece_passes(std::size_t size) {
    BodyPiece piece{Chunk::copy_of(std::string(size, 'x')), false, false};
    return passed(policy->on_request_body(context, piece).take());
  }
  bool passed(Outcome outcome) {
    if (outcome.reply == nullptr) return true;
    EXPECT_EQ(outcome.reply->status, 413);
    EXPECT_EQ(outcome.reply->code, "body_too_large");
    EXPECT_EQ(outcome.reply->detail, "The request's body is larger than 1KiB.");
    closes = outcome.reply->close;
    return false;
  }
  FakeContext context;
  std::shared_ptr<const Policy> policy = policy_of("size_limit: {max: 1KiB}");
  bool closes = false;
};

TEST_F(SizeLimitTest, AnAnnouncedLengthIsRefusedAtOnce) {
  EXPECT_TRUE(head_passes("1024"));
  EXPECT_FALSE(head_passes("1025"));
  EXPECT_FALSE(closes);
  EXPECT_FALSE(head_passes("99999999999999999999999"));
}

TEST_F(SizeLimitTest, WithoutALengthBytesAreCounted) {
  EXPECT_TRUE(policy->on_request(context).take().reply == nullptr);
  EXPECT_TRUE(piece_passes(1000));
  EXPECT_TRUE(piece_passes(24));
  EXPECT_FALSE(piece_passes(1));
  EXPECT_TRUE(closes);  // the rest is not read
}

TEST_F(SizeLimitTest, MustBePositive) {
  EXPECT_EQ(errors_of_item("size_limit: {max: 0}"), "size_limit.max: must be at least 1B, not 0\n");
}

}  // namespace
}  // namespace doorward::policy
