"""Backends: what stands behind every gateway. One nginx serves HTTP/1.1 and, on a second port,
HTTP/2; nghttpd plays the gRPC service, for it reads the message before it answers, with trailers.
"""
from harness.candidates import render
from harness.process import Server, free_port


class Backends:
    """`grpc` starts the second one as well; without it there is no grpc_port."""

    def __init__(self, places, small, grpc=True):
        self.run = places.out / "run"
        self.port, self.http2_port, self.grpc_port = free_port(), free_port(), None
        self.servers = [self._nginx(places, small)]
        if grpc:
            self.grpc_port = free_port()
            self._start_grpc(places)

    def _nginx(self, places, small):
        config = render(places, "peers/backend.nginx.conf", "backend", PORT=self.port,
                        HTTP2_PORT=self.http2_port, SMALL=small, WWW=places.out / "www")
        return Server("backend", ["nginx", "-e", "stderr", "-c", config, "-g", "daemon off;"],
                      self.port, self.run, places.other_cores).wait_ready()

    def _start_grpc(self, places):
        mime = self.run / "grpc.types"
        mime.write_text("application/grpc grpc\n")
        command = ["nghttpd", "--no-tls", "--address=127.0.0.1", "--workers=1",
                   f"--htdocs={places.out / 'grpc'}", f"--mime-types-file={mime}",
                   "--trailer=grpc-status: 0", "--max-concurrent-streams=256", self.grpc_port]
        try:
            self.servers.append(Server("backend-grpc", command, self.grpc_port, self.run,
                                       places.other_cores).wait_ready())
        except Exception:
            self.stop()
            raise

    def marks(self):
        """What the templates of the gateways call these ports."""
        return {"BACKEND": self.port, "BACKEND_HTTP2": self.http2_port,
                "BACKEND_GRPC": self.grpc_port}

    def usage(self):
        each = [server.usage() for server in self.servers]
        return {key: sum(usage[key] for usage in each) for key in each[0]}

    def stop(self):
        for server in self.servers:
            server.stop()
