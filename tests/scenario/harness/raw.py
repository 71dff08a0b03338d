"""Raw: a client that sends exactly the bytes it is told and reads strictly. Also the ways a client
can be rude: half close, reset, slow reading, split writes."""
import json
import select
import socket
import struct

from . import wire
from .waiting import DEADLINE


def connect(address, timeout=DEADLINE, receive_buffer=None, tls=None, sni="localhost",
            session=None, first=b""):
    """A socket to "127.0.0.1:80", "[::1]:80" or "unix:/path". With `tls` (a context of tls.py) it
    speaks TLS and insists on its orderly end; `first` goes before that."""
    if address.startswith("unix:"):
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        target = address[5:]
    else:
        host, _, port = address.rpartition(":")
        host = host.strip("[]")
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        target = (host, int(port))
    if receive_buffer:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    sock.settimeout(timeout)
    sock.connect(target)
    if first:
        sock.sendall(first)
    if tls is None:
        return sock
    return tls.wrap_socket(sock, server_hostname=sni, suppress_ragged_eofs=False, session=session)


def reset(sock):
    """Closes with RST instead of FIN."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


class Raw:
    """A client connection. Use as a context manager."""

    def __init__(self, address, **options):
        self.sock = connect(address, **options)
        self.stream = wire.Stream(self.sock)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, data):
        self.sock.sendall(data)
        return self

    def send_split(self, data, size=1):
        """`size` bytes a segment (Nagle is off)."""
        for at in range(0, len(data), size):
            self.sock.sendall(data[at:at + size])
        return self

    def request(self, text, method=None):
        """Sends a whole request given as bytes, returns its response."""
        self.send(text)
        return self.recv_response(method or text.split(b" ", 1)[0].decode("latin-1"))

    def get(self, target, *headers, method="GET", host="example.com"):
        return self.request(request(target, *headers, method=method, host=host))

    def recv_response(self, method="GET", keep=True):
        return wire.read_response(self.stream, method, keep)

    def recv_head(self):
        """One head, interim or final, without its body."""
        return wire.read_response_head(self.stream)

    def recv_exactly(self, count):
        return self.stream.exactly(count)

    def half_close(self):
        self.sock.shutdown(socket.SHUT_WR)
        return self

    def reset(self):
        reset(self.sock)

    def close(self):
        self.sock.close()

    def at_end(self):
        """Waits for the gateway to close; true when nothing came before the end."""
        try:
            return self.stream.to_end() == b""
        except ConnectionResetError:
            return True

    def silent(self, seconds):
        """True when neither bytes nor an end come for `seconds`."""
        waiting = self.stream.buffer or getattr(self.sock, "pending", lambda: 0)()
        return not waiting and not select.select([self.sock], [], [], seconds)[0]


def request(target, *headers, method="GET", host="example.com", body=None, version="1.1"):
    """A well-formed request as bytes; `headers` are "name: value" lines."""
    lines = [f"{method} {target} HTTP/{version}"]
    if host is not None:
        lines.append(f"Host: {host}")
    lines += headers
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b"")


def chunked(*pieces, extension="", trailers=()):
    """A chunked body of these pieces."""
    out = b"".join(b"%x%s\r\n%s\r\n" % (len(p), extension.encode(), p) for p in pieces)
    return out + b"0\r\n" + b"".join(t.encode() + b"\r\n" for t in trailers) + b"\r\n"


def response(status=200, *headers, body=b"", reason="OK", length=True):
    """A well-formed response as bytes, for backends."""
    lines = [f"HTTP/1.1 {status} {reason}", *headers]
    if length:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def assert_problem(answer, status, code, **members):
    """The answer is Doorward's own problem+json (RFC 9457) with this status and code."""
    assert answer.status == status, answer
    assert answer.get("content-type") == "application/problem+json", answer
    problem = json.loads(answer.body)
    assert problem["code"] == code, problem
    assert problem["status"] == status, problem
    assert problem["type"] == f"https://doorward.dev/problems/{code}", problem
    assert problem["title"] and isinstance(problem["title"], str), problem
    assert problem["detail"] and isinstance(problem["detail"], str), problem
    assert problem["request_id"], problem
    for name, value in members.items():
        assert problem.get(name) == value, problem
    return problem
