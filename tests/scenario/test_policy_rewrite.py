"""Policy `rewrite`: what path the backend gets."""
import pytest

from harness import config
from harness.origin import Told


def rewritten(peers, settings, target, path="/**"):
    gateway = peers.gateway(config.proxy(peers.origin(), route={"match": {"path": path}},
                                         policies=[{"rewrite": settings}]))
    return Told(peers.client(gateway).get(target)).target


@pytest.mark.parametrize("target,arrives", [
    ("/v1/a?b=c", "/a?b=c"), ("/v1", "/"), ("/v1/", "/"), ("/v1x/a", "/v1x/a"),
    ("/other", "/other")])
def test_a_prefix_is_stripped_at_segment_borders(peers, target, arrives):
    assert rewritten(peers, {"strip_prefix": "/v1"}, target) == arrives


def test_a_prefix_is_added(peers):
    assert rewritten(peers, {"add_prefix": "/api"}, "/a?b") == "/api/a?b"


def test_a_prefix_is_replaced(peers):
    assert rewritten(peers, {"strip_prefix": "/v1", "add_prefix": "/v2"}, "/v1/a") == "/v2/a"


def test_a_path_is_made_of_parameters(peers):
    assert rewritten(peers, {"path": "/people/{route.param.id}"}, "/users/7?x=y",
                     "/users/{id}") == "/people/7?x=y"


def test_a_regular_expression_rewrites(peers):
    assert rewritten(peers, {"regex": {"match": "^/item-([0-9]+)$", "to": "/items/\\1"}},
                     "/item-42?q") == "/items/42?q"


def test_a_path_that_no_expression_matches_stays(peers):
    assert rewritten(peers, {"regex": {"match": "^/item-([0-9]+)$", "to": "/items/\\1"}},
                     "/other") == "/other"


def test_a_rewritten_path_cannot_leave_its_root(peers):
    assert ".." not in rewritten(peers, {"strip_prefix": "/v1"}, "/v1/a/../b")


def test_the_access_log_tells_the_path_asked_for(peers):
    gateway = peers.gateway(config.proxy(peers.origin(), policies=[
        {"rewrite": {"strip_prefix": "/v1"}}]))
    peers.client(gateway).get("/v1/a")
    assert gateway.wait_access_log()[0]["path"] == "/v1/a"
