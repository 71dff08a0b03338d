"""The cells of TLS towards clients: records on kept-alive connections, handshakes, idle memory.

Every load offers one suite and one group (certificate.py), so all gateways agree on the same.
"""
from harness import attest_tls
from harness.cell import Cell

SMALL = "/small.json"
HANDSHAKE = {"path": SMALL, "connections": 16, "subject": "TLS", "bare": False, "floors": False,
             "peers": ("nginx", "haproxy"), "unit": "µs/handshake"}


def cells():
    return [
        # The relays take the same load in cleartext: above the floor lies HTTP and all of TLS.
        Cell("tls-http1", "TLS 1.3 keep-alive, HTTP/1.1, 64 connections", "tls", SMALL, 64,
             subject="TLS", bare=False, peers=("nginx", "haproxy", "nghttpx"), control=True,
             optional=("envoy",), body_bytes=176, check=attest_tls.tls_http1),
        Cell("tls-http2", "TLS 1.3 keep-alive, HTTP/2, 16 connections of 4 streams", "tls", SMALL,
             16, streams=4, kind="streams", subject="TLS", bare=False, floors=False,
             peers=("nginx", "haproxy", "nghttpx"), optional=("envoy",), body_bytes=176,
             check=attest_tls.tls_http2),
        Cell("handshakes", "full TLS 1.3 handshakes, ECDSA P-256 and X25519", "tls",
             kind="handshakes", check=attest_tls.tls_http1, **HANDSHAKE),
        Cell("resumed", "resumed TLS 1.3 handshakes, a ticket and X25519", "resumed",
             kind="resumed", check=attest_tls.tls_http1, **HANDSHAKE),
        Cell("idle-tls", "10,000 idle TLS connections", "tls", SMALL, subject="TLS", bare=False,
             floors=False, peers=("nginx", "haproxy"), kind="idle", unit="bytes/connection",
             check=attest_tls.tls_http1),
    ]
