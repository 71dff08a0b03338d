"""Backends in threads. ScriptedBackend runs a function per connection and records exact bytes;
it is told what to send and when by the test, through events, never by time."""
import os
import queue
import socket
import threading

from . import raw, wire
from .waiting import DEADLINE, eventually


class BackendConnection:
    """One accepted connection, in the hands of a script."""

    def __init__(self, sock, number):
        self.sock = sock
        self.number = number
        self.stream = wire.Stream(sock, keep=True)
        self.requests = []
        self.error = None
        self.over = threading.Event()

    def recv_request(self, keep=True):
        """The next request whole, or None when the gateway closed between requests."""
        request = self.recv_head()
        return request and wire.read_body(self.stream, request, "none", keep)

    def recv_head(self):
        request = wire.read_request_head(self.stream)
        if request:
            request.connection = self.number
            self.requests.append(request)
        return request

    def body_pieces(self, request):
        return wire.body_pieces(self.stream, request, "none")

    def send(self, data):
        self.sock.sendall(data)
        return self

    def at_end(self):
        """Waits until the gateway closes (or resets)."""
        try:
            return self.stream.to_end() == b""
        except ConnectionResetError:
            return True

    def half_close(self):
        self.sock.shutdown(socket.SHUT_WR)

    def reset(self):
        raw.reset(self.sock)

    def close(self):
        self.sock.close()


def listen(kind="ipv4", folder=None, backlog=512, port=0, host=None):
    """A listening socket and its endpoint's address as written in a config."""
    if kind == "unix":
        path = os.path.join(folder, f"backend-{os.urandom(4).hex()}.sock")
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.bind(path)
        sock.listen(backlog)
        return sock, f"unix:{path}"
    family, usual = ((socket.AF_INET6, "::1") if kind == "ipv6" else (socket.AF_INET, "127.0.0.1"))
    host = host or usual
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((host, port))
    sock.listen(backlog)
    port = sock.getsockname()[1]
    return sock, f"http://[{host}]:{port}" if kind == "ipv6" else f"http://{host}:{port}"


class ScriptedBackend:
    """`script(connection)` is called in a thread for each connection. What it raises, other than
    the gateway closing on it, fails the test at `finish`. With `tls` (a context of tls.py) it
    speaks TLS; a handshake that fails is the connection's `error`."""

    def __init__(self, script, kind="ipv4", folder=None, port=0, host=None, tls=None):
        self.script, self.tls = script, tls
        self.sock, self.url = listen(kind, folder, port=port, host=host)
        if tls is not None:
            self.url = self.url.replace("http:", "https:")
        self.connections = []
        self.failures = queue.Queue()
        self.closing = False
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self):
        return self.sock.getsockname()[1]

    @property
    def requests(self):
        return [request for connection in list(self.connections)
                for request in list(connection.requests)]

    def received(self):
        """The first bytes of all connections, in order of connection."""
        return b"".join(bytes(c.stream.received) for c in list(self.connections))

    def wait_requests(self, count=1):
        return eventually(lambda: (r if len(r := self.requests) >= count else None),
                          f"{count} requests at the backend")

    def wait_connections(self, count=1):
        return eventually(lambda: (c if len(c := list(self.connections)) >= count else None),
                          f"{count} connections at the backend")

    def wait_over(self, count=1):
        """Waits until `count` scripts have ended, and their connections with them."""
        eventually(lambda: sum(c.over.is_set() for c in list(self.connections)) >= count,
                   f"the end of {count} backend connections")

    def _accept(self):
        while True:
            try:
                sock, _ = self.sock.accept()
            except OSError:
                return
            if sock.family != socket.AF_UNIX:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.settimeout(4 * DEADLINE)
            connection = BackendConnection(sock, len(self.connections))
            self.connections.append(connection)
            threading.Thread(target=self._run, args=(connection,), daemon=True).start()

    def _shake_hands(self, connection):
        """False when the handshake failed, which is for the test to judge."""
        if self.tls is None:
            return True
        try:
            connection.sock = self.tls.wrap_socket(connection.sock, server_side=True)
        except OSError as error:
            connection.error = error
            return False
        connection.stream.sock = connection.sock
        return True

    def _run(self, connection):
        try:
            if self._shake_hands(connection):
                self.script(connection)
        except (ConnectionError, wire.Closed) as error:
            connection.error = error
        except OSError as error:
            connection.error = error
            if not self.closing and connection.sock.fileno() >= 0:
                self.failures.put(error)
        except Exception as error:  # pylint: disable=broad-except
            connection.error = error
            self.failures.put(error)
        finally:
            connection.close()
            connection.over.set()

    def stop_listening(self):
        """New connections are refused from now on; the open ones stay."""
        try:
            self.sock.shutdown(socket.SHUT_RDWR)  # wakes the accepting thread, which holds it open
        except OSError:
            pass
        self.sock.close()

    def finish(self):
        self.closing = True
        self.stop_listening()
        for connection in list(self.connections):
            try:
                connection.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        if not self.failures.empty():
            raise self.failures.get()


def answering(*answers):
    """A script: answers the n-th request of each connection with the n-th bytes, the last again
    and again. An answer may be a function of the request."""
    def script(connection):
        count = 0
        while request := connection.recv_request():
            answer = answers[min(count, len(answers) - 1)]
            connection.send(answer(request) if callable(answer) else answer)
            count += 1
    return script


def once(answer):
    """A script: answers one request, then closes."""
    def script(connection):
        if request := connection.recv_request():
            connection.send(answer(request) if callable(answer) else answer)
    return script
