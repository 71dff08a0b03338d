//go:build tools

// Package tools pins h2spec, a conformance suite for HTTP/2 servers, and what it is built of: its own
// releases have no go.mod. scripts/lib.sh installs it where there is Go.
package tools

import _ "github.com/summerwind/h2spec/cmd/h2spec"
