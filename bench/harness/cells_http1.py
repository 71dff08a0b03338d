"""The cells of HTTP/1.1 without TLS, and those that need no traffic at all."""
from harness import attest
from harness.cell import Cell

SMALL = "/small.json"
TOKEN = ("Authorization: Bearer good",)


def cells():
    return [
        Cell("plain-64", "plain HTTP/1.1, 64 connections", "plain", SMALL, 64, control=True,
             body_bytes=176, optional=("envoy", "caddy", "pingora")),
        Cell("plain-1", "plain HTTP/1.1, 1 connection", "plain", SMALL, 1, body_bytes=176),
        Cell("plain-512", "plain HTTP/1.1, 512 connections", "plain", SMALL, 512, body_bytes=176),
        Cell("log", "JSON access log, request id, two header changes, metrics", "log", SMALL, 64,
             body_bytes=176, check=attest.headers_and_log, featured=("nginx", "haproxy"),
             control=True),
        Cell("auth", "external_auth against auth_request", "auth", SMALL, 64, headers=TOKEN,
             body_bytes=176, check=attest.authorises, featured=("nginx",)),
        Cell("gzip", "gzip of a 50 KB JSON, level 5", "gzip", "/large.json", 16,
             headers=("Accept-Encoding: gzip",), body_bytes=1000, check=attest.compresses,
             featured=("nginx", "haproxy")),
        Cell("large", "10 MB responses", "plain", "/10m.bin", 8, body_bytes=10_000_000,
             unit="µs/MB"),
        Cell("upload", "1 MB uploads", "plain", "/upload", 8, upload_bytes=1_000_000,
             check=attest.uploads, unit="µs/MB"),
        Cell("latency", "latency at half of nginx's capacity", "plain", SMALL, 64, body_bytes=176,
             kind="latency"),
        Cell("idle", "10,000 idle keep-alive connections", "plain", SMALL, kind="idle",
             unit="bytes/connection"),
        Cell("routes", "matching one of 10,000 routes against one of 10", "plain", SMALL,
             kind="routes", unit="ratio"),
    ]
