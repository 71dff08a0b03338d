"""The targets of the project's performance promise, and whether a run meets them."""

# (cells, what it says, ratio in those cells, limit)
_URING, _EPOLL = "doorward-uring", "doorward-epoll"
TARGETS = [
    (("plain-64", "plain-1", "plain-512"), "io_uring: above the floor, of nginx's",
     f"above {_URING}/nginx", 0.30),
    (("plain-64", "plain-1", "plain-512"), "io_uring: own CPU, of nginx's",
     f"own {_URING}/nginx", 0.75),
    (("plain-64", "plain-1", "plain-512"), "io_uring: own CPU, of HAProxy's",
     f"own {_URING}/haproxy", 0.75),
    (("plain-64",), "io_uring: own CPU, of Envoy's", f"own {_URING}/envoy", 0.25),
    (("plain-64", "plain-1", "plain-512"), "epoll: above its floor, of nginx's",
     f"above {_EPOLL}/nginx", 0.40),
    (("plain-64", "plain-1", "plain-512"), "epoll: own CPU, of nginx's",
     f"own {_EPOLL}/nginx", 0.95),
    (("log",), "all of it on, of bare nginx", f"own {_URING}/nginx", 0.85),
    (("log",), "all of it on, of nginx doing the same", f"own {_URING}/nginx-log", 0.55),
    (("auth",), "external_auth, of nginx's auth_request", f"own {_URING}/nginx-auth", 0.75),
    (("gzip",), "gzip at the same level, of nginx's", f"own {_URING}/nginx-gzip", 1.00),
    (("large",), "CPU per byte of 10 MB responses, of HAProxy's", f"own {_URING}/haproxy", 1.00),
    (("latency",), "p50 at half of nginx's capacity, of nginx's", f"p50_us {_URING}/nginx", 1.00),
    (("latency",), "p99 at half of nginx's capacity, of nginx's", f"p99_us {_URING}/nginx", 1.00),
    (("idle",), "bytes of user memory per idle connection", _URING, 2048),
    (("routes",), "10,000 routes, of 10", "10000/10", 2.00),
    (("tls-http1", "tls-http2"), "own CPU, of nginx's", f"own {_URING}/nginx", 0.75),
    # As much as "at least as many handshakes per CPU-second".
    (("handshakes", "resumed"), "own CPU per handshake, of nginx's", f"own {_URING}/nginx", 1.00),
    (("idle-tls",), "bytes of user memory per idle connection", _URING, 20 * 1024),
    (("http2-client",), "own CPU, of nghttpx's", f"own {_URING}/nghttpx", 0.75),
    (("http2-client",), "own CPU, of nginx's", f"own {_URING}/nginx", 0.50),
    (("http2-backend",), "own CPU, of the own plain HTTP/1.1 proxy's",
     f"own {_URING}/doorward-plain", 0.85),
    (("grpc",), "own CPU, of nginx's grpc_pass", f"own {_URING}/nginx", 0.60),
]


def judge(cells):
    """One line per target and cell that was run."""
    lines = []
    for names, text, key, limit in TARGETS:
        for name in names:
            cell = cells.get(name)
            if cell is None:
                continue
            got = cell.get("ratios", {}).get(key)
            value = got["median"] if got else None
            lines.append({"cell": name, "target": text, "limit": limit, "value": value,
                          "range": [got["min"], got["max"]] if got else None,
                          "met": None if value is None else value <= limit})
    return lines
