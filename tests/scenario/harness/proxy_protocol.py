"""The PROXY protocol, versions 1 and 2 (HAProxy's doc/proxy-protocol.txt), written and read."""
import socket
import struct

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
ALPN, AUTHORITY, SSL, SSL_VERSION = 0x01, 0x02, 0x20, 0x21
CLIENT_SSL = 1


def v1(source="203.0.113.7", source_port=4711, destination="198.51.100.1", port=443):
    family = "TCP6" if ":" in source else "TCP4"
    return f"PROXY {family} {source} {destination} {source_port} {port}\r\n".encode()


def tlv(kind, value):
    return struct.pack("!BH", kind, len(value)) + value


def v2(source="203.0.113.7", source_port=4711, destination="198.51.100.1", port=443, tlvs=b"",
       command=1):
    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    addresses = (socket.inet_pton(family, source) + socket.inet_pton(family, destination) +
                 struct.pack("!HH", source_port, port))
    kind = 0x21 if family == socket.AF_INET6 else 0x11
    return (SIGNATURE + bytes([0x20 | command, kind]) + struct.pack("!H", len(addresses + tlvs)) +
            addresses + tlvs)


def local():
    return SIGNATURE + b"\x20\0\0\0"


def over_tls(version=b"TLSv1.3"):
    return tlv(SSL, bytes([CLIENT_SSL]) + b"\0\0\0\0" + tlv(SSL_VERSION, version))


class Header:
    """What a backend was told: version, source, destination (with ports), TLVs by kind."""

    def __init__(self, sock):
        """Reads no byte too many."""
        first = _exactly(sock, 5)
        self.tlvs, self.source, self.destination = {}, None, None
        if first == b"PROXY":
            self._read_v1(sock)
        else:
            assert first + _exactly(sock, 7) == SIGNATURE, first
            self._read_v2(sock)

    def _read_v1(self, sock):
        self.version, line = 1, b""
        while not line.endswith(b"\n"):
            line += _exactly(sock, 1)
        assert line.endswith(b"\r\n") and len(line) <= 102, line
        words = line[1:-2].decode().split(" ")
        self.family = words[0]
        if self.family != "UNKNOWN":
            assert len(words) == 5, words
            self.source = (words[1], int(words[3]))
            self.destination = (words[2], int(words[4]))

    def _read_v2(self, sock):
        self.version = 2
        command, kind, size = struct.unpack("!BBH", _exactly(sock, 4))
        self.family = {0x11: "TCP4", 0x21: "TCP6"}.get(kind, "UNKNOWN")
        body = _exactly(sock, size)
        assert command in (0x20, 0x21)
        if self.family == "UNKNOWN" or command == 0x20:
            return
        family, width = ((socket.AF_INET, 4) if kind == 0x11 else (socket.AF_INET6, 16))
        ports = struct.unpack("!HH", body[2 * width:2 * width + 4])
        self.source = (socket.inet_ntop(family, body[:width]), ports[0])
        self.destination = (socket.inet_ntop(family, body[width:2 * width]), ports[1])
        self.tlvs = dict(_tlvs(body[2 * width + 4:]))

    def tls_version(self):
        """Of the client's connection; None when it was in cleartext."""
        told = self.tlvs.get(SSL)
        if told is None or not told[0] & CLIENT_SSL:
            return None
        return dict(_tlvs(told[5:]))[SSL_VERSION].decode()


def _tlvs(data):
    while data:
        kind, size = struct.unpack("!BH", data[:3])
        assert len(data) >= 3 + size
        yield kind, data[3:3 + size]
        data = data[3 + size:]


def _exactly(sock, count):
    data = b""
    while len(data) < count:
        more = sock.recv(count - len(data))
        if not more:
            raise ConnectionError("closed within the PROXY header")
        data += more
    return data
