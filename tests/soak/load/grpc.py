"""gRPC calls of every kind by Debian's grpcio; some are cancelled, some are given no time.

grpcio resets a call that ends before its HEADERS went out by RST_STREAM on a stream that was never
opened (grpc/grpc issue 19655). RFC 9113 §6.4 makes that the end of the connection, so calls that may
end so early have a connection of their own, and their being told GOAWAY is their own doing."""
import grpc

from harness.grpc_peer import OPTIONS, PACKAGE

from .client import PATIENCE, Client

LEFT = (grpc.StatusCode.CANCELLED, grpc.StatusCode.DEADLINE_EXCEEDED)


def is_own_doing(error):
    return error.code() in LEFT or error.details() == "GOAWAY received"


class Grpc(Client):
    def __init__(self, place, name, tls):
        super().__init__(place, name)
        self.tls = tls
        self.channel = None

    def round(self):
        with self.connect() as self.channel:
            # A channel that is closed while it connects would leave that connection open.
            grpc.channel_ready_future(self.channel).result(PATIENCE)
            for _ in range(self.random.choice([1, 20, 60])):
                if self.place.stopping.is_set():
                    break
                self.random.choice([self.unary, self.unary, self.upload, self.download, self.chat,
                                    self.cancelled, self.hurried])()

    def connect(self):
        # Channels that share nothing: each is a connection of its own.
        options = [*OPTIONS, ("grpc.use_local_subchannel_pool", 1)]
        if not self.tls:
            return grpc.insecure_channel(self.place.plain, options=options)
        with open(self.place.certificates.ca, "rb") as ca:
            trust = grpc.ssl_channel_credentials(ca.read())
        return grpc.secure_channel(self.place.secure, trust, options=options)

    def messages(self, most=12):
        word = f"{self.fresh_id()} ".encode()
        return [word * self.random.randrange(1, 2000) for _ in range(self.random.randrange(most))]

    def unary(self):
        message = b"".join(self.messages(3))
        assert self.channel.unary_unary(PACKAGE + "Unary")(message, timeout=PATIENCE) == message
        self.note("answered")

    def upload(self):
        messages = self.messages()
        got = self.channel.stream_unary(PACKAGE + "Upload")(iter(messages), timeout=PATIENCE)
        assert got == b"".join(messages)
        self.note("answered")

    def download(self):
        count, size = self.random.randrange(50), self.random.randrange(5000)
        got = list(self.channel.unary_stream(PACKAGE + "Download")(b"%d,%d" % (count, size),
                                                                   timeout=PATIENCE))
        assert got == [bytes([n]) * size for n in range(count)]
        self.note("answered")

    def chat(self):
        messages = self.messages()
        got = list(self.channel.stream_stream(PACKAGE + "Chat")(iter(messages), timeout=PATIENCE))
        assert got == messages
        self.note("answered")

    def cancelled(self):
        call = self.channel.unary_stream(PACKAGE + "Download")(b"200,5000", timeout=PATIENCE)
        for _ in range(self.random.randrange(1, 5)):  # it has begun
            next(call)
        call.cancel()
        self.note("aborted")

    def hurried(self):
        message = b"".join(self.messages(3))
        with self.connect() as channel:
            grpc.channel_ready_future(channel).result(PATIENCE)
            try:
                got = channel.unary_unary(PACKAGE + "Unary")(
                    message, timeout=self.random.choice([0.001, 0.005, 0.02]))
                assert got == message
                self.note("answered")
            except grpc.RpcError as error:
                assert is_own_doing(error), error
                self.note("aborted")
