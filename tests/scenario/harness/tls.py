"""TLS for the peers: contexts of clients and servers, sockets that two threads may use, and what a
ClientHello looks like."""
import select
import socket
import ssl
import threading

VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


def client_context(ca=None, alpn=(), certificate=None, only=None, ciphers=None):
    """Believes the certificates of `ca` (a file), whatever they are of without one. `only`: "1.2"
    or "1.3"; `certificate`: the client's own."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = ca is not None
    if ca is None:
        context.verify_mode = ssl.CERT_NONE
    else:
        context.load_verify_locations(ca)
    _set_up(context, alpn, certificate, only)
    if ciphers:
        context.set_ciphers(ciphers)
    return context


def server_context(certificate, alpn=(), ca=None, only=None):
    """With `ca` it requires a client's certificate. `context.names` are the names asked for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if ca is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(ca)
    _set_up(context, alpn, certificate, only)
    context.names = []
    context.sni_callback = lambda _, name, __: context.names.append(name)
    return context


def _set_up(context, alpn, certificate, only):
    if alpn:
        context.set_alpn_protocols(list(alpn))
    if certificate is not None:
        context.load_cert_chain(certificate.certificate, certificate.key)
    if only is not None:
        context.minimum_version = context.maximum_version = VERSIONS[only]


class Shared:
    """A socket, of TLS or not, that one thread reads while others write. OpenSSL wants one of them
    at a time, so none of them waits inside of it."""

    def __init__(self, sock):
        self.sock, self.lock = sock, threading.Lock()
        self.timeout = sock.gettimeout()
        sock.setblocking(False)

    def _wait(self, reading):
        if self.sock.fileno() < 0:
            raise ConnectionAbortedError("closed by another thread")
        sets = ([self.sock], []) if reading else ([], [self.sock])
        if not any(select.select(*sets, [], self.timeout)):
            raise TimeoutError("the gateway neither sent nor took anything")

    def _attempt(self, operation, reading):
        while True:
            with self.lock:
                try:
                    return operation()
                except (ssl.SSLWantReadError, BlockingIOError) as error:
                    wants_read = reading or isinstance(error, ssl.SSLError)
                except ssl.SSLWantWriteError:
                    wants_read = False
                except OSError as error:
                    if self.sock.fileno() >= 0:
                        raise
                    raise ConnectionAbortedError("closed by another thread") from error
            self._wait(wants_read)

    def recv(self, size):
        return self._attempt(lambda: self.sock.recv(size), True)

    def sendall(self, data):
        view = memoryview(data)
        while view:
            view = view[self._attempt(lambda: self.sock.send(view), False):]

    def close(self):
        """Wakes the reader, whose part it is to close."""
        with self.lock:
            try:
                self.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
