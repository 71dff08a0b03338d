"""A tiny DNS server on loopback: answers A queries from a table that the test may change."""
import socket
import struct
import threading


class Dns:
    """`names` maps "name" -> (["127.0.0.1"], ttl seconds); unknown names get NXDOMAIN."""

    def __init__(self, names, address="127.0.0.1", port=0):
        self.names = names
        self.address = address
        self.queries = []
        self.silent = False  # takes queries without an answer
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((address, port))
        self.port = self.sock.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                query, peer = self.sock.recvfrom(4096)
            except OSError:
                return
            if not peer:
                return
            answer = self._answer(query)
            if not self.silent:
                self.sock.sendto(answer, peer)

    def _answer(self, query):
        at, labels = 12, []
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode())
            at += 1 + query[at]
        kind, = struct.unpack("!H", query[at + 1:at + 3])
        question = query[12:at + 5]
        name = ".".join(labels).lower()
        self.queries.append((name, kind))
        addresses, ttl = self.names.get(name, (None, 0))
        records = b"".join(
            b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, ttl, 4) + socket.inet_aton(address)
            for address in addresses or []) if kind == 1 else b""
        flags = 0x8180 if addresses is not None else 0x8183
        return query[:2] + struct.pack("!HHHHH", flags, 1, len(records) // 16, 0, 0) + \
            question + records

    def finish(self):
        try:
            self.sock.shutdown(socket.SHUT_RDWR)  # wakes the serving thread, which holds it open
        except OSError:
            pass
        self.sock.close()
