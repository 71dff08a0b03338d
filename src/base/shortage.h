// Shortage: the machine has no descriptor or no memory left for Doorward itself. No peer is to
// blame, and none would do better.
#pragma once

#include <string>

#include "base/error.h"

namespace doorward {

// The system said so: EMFILE, ENFILE, ENOMEM or ENOBUFS.
bool is_shortage(const Error& error);

// Which limit an errno of these is about, and the way out; one clause for people. Asks the kernel
// for the limit in force.
std::string shortage_hint(int errno_value);

}  // namespace doorward
