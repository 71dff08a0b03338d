// doorward: the command line. Each command is a function in a file of its own (commands.h).
#include <CLI/CLI.hpp>

#include "app/commands.h"

int main(int argc, char** argv) { return doorward::app::run_command_line(argc, argv); }
