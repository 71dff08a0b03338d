// Replay: cases that drive the real code on recorded bytes in one thread, without a network, for
// counting instructions. Each case file offers functions; replay.cc lists them by name.
#pragma once

#include <cstdint>

namespace doorward::replay {

struct Case {
  const char* name;
  void (*run)(unsigned requests);  // handles as many requests, all alike
};

// Keeps a result from being optimised away.
template <class T>
void keep(const T& value) {
  asm volatile("" : : "g"(&value) : "memory");
}

// Stops the program: a recorded message was not understood, so its count means nothing.
[[noreturn]] void misread(const char* what);

// heads.cc
void parse_request(unsigned requests);
void parse_browser_request(unsigned requests);
void parse_response(unsigned requests);
void forward_heads(unsigned requests);
void decode_chunks(unsigned requests);
void normalize_target(unsigned requests);

// routes.cc
void match_10_routes(unsigned requests);
void match_10000_routes(unsigned requests);

}  // namespace doorward::replay
