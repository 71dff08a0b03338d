"""Backends: what stands behind every gateway. nginx serves HTTP/1.1, and HTTP/2 on a second port.
nghttpd serves HTTP/2 alone, and unlike nginx writes the frames of many responses together; another
one plays the gRPC service, for it reads the message before it answers, with trailers.
"""
from harness.candidates import render
from harness.process import Server, free_port


class Backends:
    """`features` are the cells': nginx is always there, the others where a cell needs them."""

    def __init__(self, places, small, features):
        self.run = places.out / "run"
        self.port, self.nginx_http2_port = free_port(), free_port()
        self.http2_port = self.grpc_port = None
        self.servers = [self._nginx(places, small)]
        try:
            if "http2-backend" in features:
                self.http2_port = self._nghttpd(places, "http2", "application/json json")
            if "grpc" in features:
                self.grpc_port = self._nghttpd(places, "grpc", "application/grpc grpc",
                                               "--trailer=grpc-status: 0")
        except Exception:
            self.stop()
            raise

    def _nginx(self, places, small):
        config = render(places, "peers/backend.nginx.conf", "backend", PORT=self.port,
                        HTTP2_PORT=self.nginx_http2_port, SMALL=small, WWW=places.out / "www")
        return Server("backend", ["nginx", "-e", "stderr", "-c", config, "-g", "daemon off;"],
                      self.port, self.run, places.other_cores).wait_ready()

    def _nghttpd(self, places, name, types, *options):
        """Serves the folder of that name; gives the port."""
        port, mime = free_port(), self.run / f"{name}.types"
        mime.write_text(types + "\n")
        command = ["nghttpd", "--no-tls", "--address=127.0.0.1", "--workers=1",
                   f"--htdocs={places.out / name}", f"--mime-types-file={mime}",
                   "--max-concurrent-streams=256", *options, port]
        self.servers.append(Server(f"backend-{name}", command, port, self.run,
                                   places.other_cores).wait_ready())
        return port

    def marks(self):
        """What the templates of the gateways call these ports."""
        return {"BACKEND": self.port, "BACKEND_HTTP2": self.http2_port,
                "BACKEND_HTTP2_NGINX": self.nginx_http2_port, "BACKEND_GRPC": self.grpc_port}

    def usage(self):
        each = [server.usage() for server in self.servers]
        return {key: sum(usage[key] for usage in each) for key in each[0]}

    def stop(self):
        for server in self.servers:
            server.stop()
