"""Short ways to write a config as a value."""


def proxy(backend, *, listener=None, service=None, route=None, policies=None, **top):
    """One listener "web", one service "app" (a backend, or a list), one route "all"."""
    backends = backend if isinstance(backend, (list, tuple)) else [backend]
    endpoints = [getattr(one, "url", one) for one in backends]
    one_route = {"name": "all", "service": "app", **(route or {})}
    if policies is not None:
        one_route["policies"] = policies
    return {
        "version": 1,
        "listeners": [{"name": "web", "address": "127.0.0.1:0", **(listener or {})}],
        "services": {"app": {"endpoints": endpoints, **(service or {})}},
        "routes": [one_route],
        **top,
    }


def respond(text="fixed", **top):
    """One listener "web", one route that answers itself."""
    return {
        "version": 1,
        "listeners": [{"name": "web", "address": "127.0.0.1:0"}],
        "routes": [{"name": "all", "respond": {"status": 200, "body": text}}],
        **top,
    }
