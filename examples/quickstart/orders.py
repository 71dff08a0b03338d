#!/usr/bin/python3
"""The orders service: a small JSON API over HTTP/1.1. orders.py PORT (0 takes a free one)."""
import errno
import json
import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ORDERS = {
    7: {"id": 7, "customer": "ada", "item": "lantern", "quantity": 2},
    8: {"id": 8, "customer": "grace", "item": "rope", "quantity": 1},
}


class Orders(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # keeps connections open, so that the gateway can reuse them

    def answer(self, status, value):
        body = json.dumps(value).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path == "/orders":
            return self.answer(200, list(ORDERS.values()))
        found = re.fullmatch(r"/orders/(\d+)", self.path)
        if found and int(found[1]) in ORDERS:
            return self.answer(200, ORDERS[int(found[1])])
        return self.answer(404, {"error": "no such order"})

    def do_POST(self):
        if self.path != "/orders":
            return self.answer(404, {"error": "no such page"})
        try:
            order = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
            order = {"id": max(ORDERS) + 1, "customer": str(order["customer"]),
                     "item": str(order["item"]), "quantity": int(order.get("quantity", 1))}
        except (ValueError, KeyError, TypeError):
            return self.answer(400, {"error": "an order has a customer and an item"})
        ORDERS[order["id"]] = order
        return self.answer(201, order)

    def log_message(self, *_):
        """The gateway logs."""


def listen(port):
    try:
        return ThreadingHTTPServer(("127.0.0.1", port), Orders)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        sys.exit(f"orders cannot listen on 127.0.0.1:{port}: another program does; stop it "
                 "(ss -ltnp shows which it is), or choose another port here and in doorward.yaml")


if __name__ == "__main__":
    server = listen(int(sys.argv[1]))
    print(f"orders on 127.0.0.1:{server.server_port}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
