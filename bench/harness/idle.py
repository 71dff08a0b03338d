"""What an idle connection costs its gateway in memory; over TLS, with the session's state."""
import socket
import ssl
import time

from harness import certificate, load
from harness.process import BenchError


def run_idle(cell, backend, places, options, say):
    """Private memory per kept-alive connection that has had one request and its answer."""
    count = options.idle_connections
    ratios, slices = {}, []
    for candidate in cell.cast(places.optional):
        if candidate.kind == "doorward" and options.skip_doorward:
            continue
        try:
            candidate.start(places, backend)
            cell.attest(candidate, backend)
            load.of_cell(cell, candidate, places, 1).run()  # buffers and pools exist already
            time.sleep(1)
            before = candidate.server.private_memory_kb()
            held = _hold(candidate, cell.path, count)
            time.sleep(2)
            after = candidate.server.private_memory_kb()
            for connection in held:
                connection.close()
            each = (after - before) * 1024 / count
            slices.append({"candidate": candidate.name, "before_kb": before, "after_kb": after,
                           "connections": count, "bytes_each": each})
            ratios[candidate.name] = {"median": each, "min": each, "max": each, "rounds": 1}
            say(f"{cell.name}: {candidate.name} {each:.0f} bytes a connection")
        except BenchError as error:
            say(f"{cell.name}: {candidate.name} left out, {error}")
        finally:
            candidate.stop()
    return slices, ratios


def _hold(candidate, path, count):
    request = f"GET {path} HTTP/1.1\r\nHost: {certificate.NAME}\r\n\r\n".encode()
    context = _client_context(candidate)
    held = []
    for _ in range(count):
        try:
            held.append(_connect(candidate.server.port, context))
            _ask(held[-1], request)
        except OSError as error:
            for each in held:
                each.close()
            raise BenchError(f"only {len(held)} connections stay open: {error}") from error
    return held


def _client_context(candidate):
    if not candidate.tls:
        return None
    context = ssl.create_default_context(cafile=candidate.run / "certificate.pem")
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context


def _connect(port, context):
    connection = socket.create_connection(("127.0.0.1", port), timeout=10)
    # Or else the request waits for an acknowledgement of the handshake's last message.
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if context is None:
        return connection
    try:
        return context.wrap_socket(connection, server_hostname=certificate.NAME)
    except OSError:
        connection.close()
        raise


def _ask(connection, request):
    connection.sendall(request)
    answer = b""
    while not answer.endswith(b"}"):
        piece = connection.recv(65536)
        if not piece:
            raise OSError("closed by the gateway")
        answer += piece
