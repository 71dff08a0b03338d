# Functions that the scripts share; sourced with the repository as working directory.

say() { printf '\033[1m%s\033[0m\n' "$*" >&2; }

fail() { say "$*"; exit 1; }

# install build test …: the Debian packages that scripts/packages/NAME.txt list.
install() {
  local names=()
  for purpose in "$@"; do
    mapfile -t -O ${#names[@]} names < <(grep -v '^#' "scripts/packages/$purpose.txt")
  done
  scripts/install "${names[@]}"
}

# h2spec, for its scenario, into build/tools: where there is Go, and the modules that tests/h2spec pins
# can be had within a minute. Without it that scenario is skipped.
install_h2spec() {
  local go here=$PWD tool=build/tools/h2spec
  go=$(PATH=$PATH:/usr/local/go/bin command -v go) || { say "h2spec is left out: no Go here"; return; }
  if [ -x $tool ] && [ ! tests/h2spec/go.sum -nt $tool ]; then return; fi
  say "Installing h2spec"
  mkdir -p build/tools
  (cd tests/h2spec && GOBIN=$here/build/tools GOTOOLCHAIN=local GOFLAGS=-mod=readonly \
    timeout 60 "$go" install github.com/summerwind/h2spec/cmd/h2spec) >build/h2spec.log 2>&1 ||
    say "h2spec is left out: it could not be installed; build/h2spec.log says why"
}

# build PRESET [TARGET…]: configures and builds; quiet when nothing is to do.
build() {
  local preset=$1
  shift
  mkdir -p build
  cmake --preset "$preset" >"build/cmake-$preset.log" 2>&1 || {
    cat "build/cmake-$preset.log" >&2
    fail "Configuring build/$preset failed"
  }
  if ninja -C "build/$preset" -n "$@" | grep -q 'no work to do'; then return; fi
  say "Building build/$preset"
  # On a terminal one line that counts; in a log a line for every 25th step, and what went wrong.
  if [ -t 1 ]; then
    ninja -C "build/$preset" "$@" || fail "Building build/$preset failed"
  else
    ninja -C "build/$preset" "$@" 2>&1 | tee "build/ninja-$preset.log" |
      awk '!/^\[[0-9]+\/[0-9]+\]/ || /^\[[0-9]*(00|25|50|75)\// {print; fflush()}' >&2 ||
      fail "Building build/$preset failed; the whole story is in build/ninja-$preset.log"
  fi
}
