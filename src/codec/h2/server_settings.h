// What a listener's settings say of its HTTP/2 connections; shared by all of them.
#pragma once

#include "codec/h1/framing.h"
#include "codec/h2/session_settings.h"

namespace doorward::codec::h2 {

struct ServerSettings {
  h1::ParseLimits parse;
  SessionSettings session;
  std::uint32_t requests_per_connection = 0;  // 0: no limit
  Duration header_timeout{10'000};
  Duration body_timeout{30'000};
  Duration idle_timeout{75'000};
  Duration send_timeout{30'000};
  std::uint64_t min_data_rate = 100;  // bytes a second; 0: no limit
};

}  // namespace doorward::codec::h2
