#!/usr/bin/python3
"""An authorisation service: `Authorization: Bearer ada-secret` is Ada; anybody else is refused.
auth.py PORT (0 takes a free one)."""
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECRETS = {"Bearer ada-secret": "ada", "Bearer grace-secret": "grace"}


class Auth(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        user = SECRETS.get(self.headers.get("Authorization"))
        self.send_response(200 if user else 401)
        if user:
            self.send_header("X-User", user)
        else:
            self.send_header("WWW-Authenticate", 'Bearer realm="example"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        """The gateway logs."""


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Auth)
    print(f"auth on 127.0.0.1:{server.server_port}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
