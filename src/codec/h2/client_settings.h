// What a service's settings say of its HTTP/2 connections; shared by all of them.
#pragma once

#include "codec/h1/framing.h"
#include "codec/h2/session_settings.h"

namespace doorward::codec::h2 {

struct ClientSettings {
  h1::ParseLimits parse;
  SessionSettings session;
  Duration idle_timeout{30'000};  // between two pieces of a body, both ways
  // While requests are on their way and nothing comes: a PING after so long (0: none), and so long
  // for its answer.
  Duration ping_every{15'000};
  Duration ping_timeout{10'000};
  bool https = false;  // what :scheme says
};

}  // namespace doorward::codec::h2
