#!/usr/bin/python3
"""The users service: /users, /users/NAME, and /whoami, which tells what the gateway sent.
users.py PORT (0 takes a free one)."""
import errno
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

USERS = {"ada": {"name": "Ada", "city": "London"}, "grace": {"name": "Grace", "city": "New York"}}


class Users(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        name = self.path.removeprefix("/users/")
        if self.path == "/users":
            self.answer(200, sorted(USERS))
        elif self.path == "/whoami":
            self.answer(200, {"method": self.command, "path": self.path,
                              "headers": dict(self.headers.items())})
        elif name in USERS:
            self.answer(200, USERS[name])
        else:
            self.answer(404, {"error": "no such user"})

    def answer(self, status, value):
        body = json.dumps(value).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """The gateway logs."""


def listen(port):
    try:
        return ThreadingHTTPServer(("127.0.0.1", port), Users)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        sys.exit(f"users cannot listen on 127.0.0.1:{port}: another program does; stop it "
                 "(ss -ltnp shows which it is), or choose another port here and in doorward.yaml")


if __name__ == "__main__":
    server = listen(int(sys.argv[1]))
    print(f"users on 127.0.0.1:{server.server_port}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
