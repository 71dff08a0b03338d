"""Real gRPC peers: a server of grpcio with methods of plain bytes, and calls to it. No protobuf:
messages are bytes on both sides."""
import concurrent.futures
import threading

import grpc

from .waiting import DEADLINE

# Messages of any size; no proxy of the environment.
OPTIONS = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1),
           ("grpc.enable_http_proxy", 0), ("grpc.enable_retries", 0)]
PACKAGE = "/doorward.test.Echo/"


class GrpcBackend:
    """Service doorward.test.Echo: what comes goes back. `calls` has (method, metadata) of each.

      Unary        the message                      Upload   all messages, joined
      Download     N messages, "N,SIZE" is asked    Chat     each message as it comes
      Fail         aborts as metadata fail-code and fail-text say; with fail-after, messages first
      Wait         answers when `release` is set, or its client has gone
      Metadata     sends its metadata back as initial and (names x-trailing…) trailing metadata
    """

    def __init__(self, certificate=None):
        self.calls = []
        self.release = threading.Event()
        self.gone = threading.Event()  # a waiting call's client has left
        self.remaining = []            # of the deadlines that calls came with
        self.server = grpc.server(concurrent.futures.ThreadPoolExecutor(16),
                                  handlers=[_Handler(self)],
                                  options=[*OPTIONS, ("grpc.so_reuseport", 0)])
        if certificate is None:
            self.port, scheme = self.server.add_insecure_port("127.0.0.1:0"), "http"
        else:
            pair = (certificate.key.read_bytes(), certificate.certificate.read_bytes())
            credentials = grpc.ssl_server_credentials([pair])
            self.port, scheme = self.server.add_secure_port("127.0.0.1:0", credentials), "https"
        self.url = f"{scheme}://127.0.0.1:{self.port}"
        self.server.start()

    def finish(self):
        self.release.set()
        self.server.stop(0).wait(DEADLINE)

    def unary(self, message, _):
        return message

    def upload(self, messages, _):
        return b"".join(messages)

    def download(self, message, _):
        count, size = map(int, message.split(b","))
        for number in range(count):
            yield bytes([number % 256]) * size

    def chat(self, messages, _):
        for message in messages:
            yield message

    def fail(self, _, context):
        said = dict(context.invocation_metadata())
        if "fail-after" in said:
            for number in range(int(said["fail-after"])):
                yield b"%d" % number
        context.set_trailing_metadata((("x-why-bin", b"\0\xff"),))
        context.abort(_code(int(said["fail-code"])), said.get("fail-text-bin", b"").decode())

    def wait(self, message, context):
        if not context.add_callback(self.release.set):  # gone before it was waited for
            self.release.set()
        self.release.wait(4 * DEADLINE)
        if not context.is_active():
            self.gone.set()
        return message

    def metadata(self, message, context):
        said = [(name, value) for name, value in context.invocation_metadata()
                if name.startswith("x-")]
        context.send_initial_metadata([p for p in said if not p[0].startswith("x-trailing")])
        context.set_trailing_metadata([p for p in said if p[0].startswith("x-trailing")])
        return message


def _code(number):
    return next(code for code in grpc.StatusCode if code.value[0] == number)


class _Handler(grpc.GenericRpcHandler):
    KINDS = {"Unary": grpc.unary_unary_rpc_method_handler,
             "Upload": grpc.stream_unary_rpc_method_handler,
             "Download": grpc.unary_stream_rpc_method_handler,
             "Chat": grpc.stream_stream_rpc_method_handler,
             "Fail": grpc.unary_stream_rpc_method_handler,
             "Wait": grpc.unary_unary_rpc_method_handler,
             "Metadata": grpc.unary_unary_rpc_method_handler}

    def __init__(self, backend):
        self.backend = backend

    def service(self, handler_call_details):
        package, _, name = handler_call_details.method.rpartition("/")
        self.backend.calls.append((handler_call_details.method,
                                   list(handler_call_details.invocation_metadata)))
        if package + "/" != PACKAGE or name not in self.KINDS:
            return None
        behave = getattr(self.backend, name.lower())

        def observed(message, context):
            self.backend.remaining.append(context.time_remaining())
            return behave(message, context)
        return self.KINDS[name](observed)


class Client:
    """Calls through a gateway, over TLS with `ca` (PEM). Each call has a deadline of the test's own
    unless one is given."""

    def __init__(self, address, ca=None):
        self.channel = (grpc.insecure_channel(address, options=OPTIONS) if ca is None else
                        grpc.secure_channel(address, grpc.ssl_channel_credentials(ca),
                                            options=OPTIONS))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.channel.close()

    finish = __exit__

    def call(self, name, message=b"", timeout=DEADLINE, metadata=None, package=PACKAGE):
        """A unary call: (answer, grpc.Call); raises grpc.RpcError."""
        return self.channel.unary_unary(package + name).with_call(
            message, timeout=timeout, metadata=metadata)

    def download(self, name, message=b"", timeout=DEADLINE, metadata=None):
        return self.channel.unary_stream(PACKAGE + name)(message, timeout=timeout,
                                                         metadata=metadata)

    def upload(self, name, messages, timeout=DEADLINE):
        return self.channel.stream_unary(PACKAGE + name)(iter(messages), timeout=timeout)

    def chat(self, name, messages, timeout=DEADLINE):
        return self.channel.stream_stream(PACKAGE + name)(messages, timeout=timeout)

    def error(self, name, message=b"", **options):
        """The grpc.RpcError that a unary call must end in."""
        try:
            self.call(name, message, **options)
        except grpc.RpcError as error:
            return error
        raise AssertionError(f"{name} did not fail")


def frame(message, flags=0):
    """A message with its prefix, as bodies carry it."""
    return bytes([flags]) + len(message).to_bytes(4, "big") + message


def frames(body):
    """[(flags, bytes)] of a whole body."""
    found = []
    while body:
        assert len(body) >= 5, body
        size = int.from_bytes(body[1:5], "big")
        assert len(body) >= 5 + size, body
        found.append((body[0], body[5:5 + size]))
        body = body[5 + size:]
    return found
