#include "observe/access_log_config.h"

#include <gtest/gtest.h>

#include "schema/test_config.h"

namespace doorward::observe {
namespace {

TEST(AccessLogConfig, ReadsASection) {
  AccessLogConfig config;
  EXPECT_EQ(schema::errors_of(kAccessLogSchema,
                              "path: /var/log/a.log\nfields: [status, path]\nmask_query: [pin]\n"
                              "buffer: 128KiB\n",
                              config),
            "");
  EXPECT_EQ(config.path, "/var/log/a.log");
  EXPECT_EQ(config.fields,
            (std::vector{find_access_field("status").value(), find_access_field("path").value()}));
  EXPECT_EQ(config.mask_query, std::vector<std::string>{"pin"});
  EXPECT_EQ(config.buffer, 128_KiB);
}

TEST(AccessLogConfig, EmptySectionIsTheDefault) {
  AccessLogConfig config;
  EXPECT_EQ(schema::errors_of(kAccessLogSchema, "{}", config), "");
  EXPECT_EQ(config, AccessLogConfig{});
}

TEST(AccessLogConfig, NamesTheFieldThatIsMeant) {
  AccessLogConfig config;
  const std::string errors =
      schema::errors_of(kAccessLogSchema, "fields: [status, user_agnet]", config);
  EXPECT_NE(errors.find("user_agnet"), std::string::npos) << errors;
  EXPECT_NE(errors.find("\"user_agent\""), std::string::npos) << errors;
}

TEST(AccessLogConfig, RefusesABufferTooSmallForALine) {
  AccessLogConfig config;
  EXPECT_NE(schema::errors_of(kAccessLogSchema, "buffer: 1KiB", config).find("buffer"),
            std::string::npos);
}

}  // namespace
}  // namespace doorward::observe
