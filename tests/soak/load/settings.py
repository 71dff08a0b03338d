"""The gateway's configuration, in endless harmless variants: all of them answer the same."""
import random

from harness.grpc_peer import PACKAGE


class Settings:
    """`certificate`: the file of the TLS listener's certificate and key, which is swapped."""

    def __init__(self, urls, ca, certificate):
        self.urls, self.ca, self.certificate = urls, ca, certificate

    def variant(self, seed):
        """A whole configuration; a seed makes the same one again."""
        choice = random.Random(seed).choice
        settings = {
            "version": 1,
            "listeners": self._listeners(choice),
            "services": self._services(choice),
            "policies_everywhere": [
                {"request_id": {"format": choice(["uuid", "hex"])}},
                {"headers": {"response": {"set": {"x-config": f"variant-{seed}"}}}}],
            "routes": self._routes(choice),
        }
        if choice([True, False]):
            settings["services"]["unused"] = {"endpoints": ["http://127.0.0.1:1"]}
            settings["routes"].insert(0, {"name": "unused", "match": {"path": "/unused/**"},
                                          "service": "unused"})
        return settings

    def _listeners(self, choice):
        streams = choice([100, 128, 200])
        tls = {"certificates": [{"certificate": str(self.certificate)}],
               "profile": "intermediate", "handshake_timeout": "60s",
               "ticket_rotation": choice(["1h", "2s"])}
        common = {"address": "127.0.0.1:0", "http2": {"max_concurrent_streams": streams},
                  "limits": {"target_length": choice(["8KiB", "16KiB"])},
                  "timeouts": {"header": "60s", "body": "60s", "send": "60s"}}
        return [{"name": "plain", **common}, {"name": "secure", "tls": tls, **common}]

    def _services(self, choice):
        # Unused connections go soon, so that a quiet point has none.
        usual = {"pool": {"idle_timeout": choice(["700ms", "1s"]), "queue": {"timeout": "60s"}},
                 "timeouts": {"connect": "30s", "first_byte": choice(["60s", "70s"]),
                              "idle": "60s"}}
        tls = {"tls": {"ca": self.ca}}
        urls = self.urls
        first = choice([[urls["http1"]], [urls["http1"], urls["http1-b"]],
                        [{"url": urls["http1-b"], "weight": 2}, urls["http1"]]])
        own = {"http1": {"endpoints": first}, "http1s": tls, "http2": {"protocol": "http2"},
               "http2s": tls, "websocket": {}, "grpc": {"protocol": "http2"}, "files": {},
               "filess": tls}
        return {name: {"endpoints": [urls[name]], **usual, **extra} for name, extra in own.items()}

    def _routes(self, choice):
        most = {"size_limit": {"max": choice(["2MiB", "3MiB"])}}
        compress = {"compress": {"algorithms": ["gzip"], "level": {"gzip": choice([1, 4])}}}
        asking = {"external_auth": {"service": "http1", "path": "/auth", "timeout": "30s"}}
        rules = {"websocket": {"max_message": choice(["1MiB", "2MiB"]), "idle_timeout": "60s"}}
        return [
            route("http1", [most, compress]), route("http1s", [compress]),
            route("http2", [asking, most]), route("http2s", [most, compress]),
            route("files", [compress]), route("filess", []),
            route("websocket", [], "/websocket"),
            route("rules", [rules], "/rules", service="websocket"),
            route("streams", [rules], "/streams", service="http2"),
            {"name": "grpc", "match": {"path": PACKAGE + "**"}, "service": "grpc"}]


def route(name, policies, prefix=None, service=None):
    """By default /NAME/… goes to the service of that name, which does not see the prefix."""
    own = [] if prefix else [{"rewrite": {"strip_prefix": f"/{name}"}}]
    return {"name": name, "match": {"path": f"{prefix or '/' + name}/**"},
            "policies": [*policies, *own], "service": service or name}
