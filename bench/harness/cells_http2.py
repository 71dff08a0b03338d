"""The cells of HTTP/2 in cleartext (prior knowledge) on either side, and of gRPC on both."""
from harness import attest_http2
from harness.cell import Cell

SMALL = "/small.json"
# nginx as a proxy speaks no HTTP/2 to backends: it and HAProxy stand bare, as a measure.
HTTP2_BACKEND = {"feature": "http2-backend", "path": SMALL, "connections": 64, "subject": "HTTP/2",
                 "own_plain": True, "featured": ("haproxy", "nghttpx"), "optional": ("envoy",),
                 "body_bytes": 176}


def cells():
    return [
        Cell("http2-client", "HTTP/2 to an HTTP/1.1 backend, 16 connections of 4 streams",
             "http2-client", SMALL, 16, streams=4, kind="streams", subject="HTTP/2", bare=False,
             floors=False, peers=("nginx", "haproxy", "nghttpx"), control=True,
             optional=("envoy",), body_bytes=176, check=attest_http2.from_http2_clients),
        Cell("http2-backend", "64 HTTP/1.1 clients to one HTTP/2 backend",
             check=attest_http2.to_http2_backend, **HTTP2_BACKEND),
        # nginx writes HEADERS and DATA of each response apart: two segments where others share one.
        Cell("http2-backend-nginx", "64 HTTP/1.1 clients to nginx in HTTP/2",
             check=attest_http2.to_http2_nginx, marks={"BACKEND_HTTP2": "BACKEND_HTTP2_NGINX"},
             **HTTP2_BACKEND),
        Cell("grpc", "unary gRPC, 16 connections of 4 streams", "grpc", "/bench.Orders/Get.grpc",
             16, streams=4, kind="streams", subject="HTTP/2", bare=False, floors=False,
             headers=("content-type: application/grpc", "te: trailers"), post="grpc/request.bin",
             peers=("nginx", "haproxy", "nghttpx"), optional=("envoy",), body_bytes=183,
             check=attest_http2.unary_grpc),
    ]
