"""One rule for paths, applied before matching; the backend gets the path that was matched."""
import pytest

from harness import config
from harness.origin import Told
from harness.raw import Raw

REACHES = [  # (target as sent, target at the backend): none of them may reach /admin by a detour
    ("/a/b", "/a/b"),
    ("/a//b", "/a/b"),
    ("//a///b//", "/a/b/"),
    ("/a/./b", "/a/b"),
    ("/a/.", "/a/"),
    ("/a/b/..", "/a/"),
    ("/a/b/../c", "/a/c"),
    ("/a/%2e/b", "/a/b"),
    ("/a/b/%2e%2e/c", "/a/c"),
    ("/a/b/.%2E/c", "/a/c"),
    ("/a/b/%2E./c", "/a/c"),
    ("/%61/b", "/a/b"),
    ("/%7Euser", "/~user"),
    ("/a%20b", "/a%20b"),
    ("/a%c3%bc", "/a%C3%BC"),
    ("/a%3fb", "/a%3Fb"),
    ("/a%23b", "/a%23b"),
    ("/a%25b", "/a%25b"),
    ("/a%0d%0ab", "/a%0D%0Ab"),
    ("/a%252fb", "/a%252fb"),
    ("/a;b=c/d", "/a;b=c/d"),
    ("/a?b=../c//d%2f", "/a?b=../c//d%2f"),
    ("/a/...", "/a/..."),
    ("/a/..b", "/a/..b"),
    ("/a?", "/a?"),
    ("/a/b/..?c", "/a/?c"),
]

REFUSED = [
    "/x/..%2fadmin", "/x/..%2Fadmin", "/x%2fadmin", "/%2fadmin", "/x/..%5cadmin", "/x%5cadmin",
    "/x\\admin", "/x/..\\admin", "/a%00", "/a%00/../admin", "/a%", "/a%2", "/a%zz", "/a%g0",
    "/..", "/../admin", "/a/../../admin", "/%2e%2e/admin", "/a/%2e%2e/%2e%2e/admin", "/a#b",
]

ADMIN = ["/admin", "/admin/", "/admin/x", "/x/../admin", "//admin", "/./admin", "/%61dmin",
         "/x/%2e%2e/admin", "/admin/.", "/admin//x", "/x/y/../../admin/x", "/x//..//admin",
         "/%61%64%6d%69%6e", "http://example.com//admin", "/admin?x", "/admin/../admin/x"]


@pytest.fixture(scope="module")
def guarded(module_peers):
    origin = module_peers.origin()
    settings = config.proxy(origin)
    settings["routes"].append({"name": "admin", "match": {"path": "/admin/**"},
                               "respond": {"status": 200, "body": "guarded"}})
    return origin, module_peers.gateway(settings)


@pytest.mark.parametrize("sent,arrives", REACHES)
def test_paths_are_normalised(guarded, sent, arrives):
    with Raw(guarded[1].address()) as client:
        answer = client.get(sent)
        assert Told(answer).target == arrives


@pytest.mark.parametrize("target", REFUSED)
def test_ambiguous_paths_are_refused(guarded, target):
    origin, gateway = guarded
    before = len(origin.requests)
    with Raw(gateway.address()) as client:
        answer = client.get(target)
        assert answer.status == 400, answer
        assert answer.json()["code"]
    assert len(origin.requests) == before


def test_an_encoded_slash_has_its_own_code(guarded):
    with Raw(guarded[1].address()) as client:
        assert client.get("/x/..%2fadmin").json()["code"] == "path_encoded_slash"


@pytest.mark.parametrize("target", ADMIN)
def test_every_way_to_admin_meets_its_route(guarded, target):
    with Raw(guarded[1].address()) as client:
        answer = client.get(target)
        assert (answer.status, answer.body) == (200, b"guarded"), answer


@pytest.mark.parametrize("target", ["/Admin", "/admin%20", "/admin;x", "/admin.", "/administrator",
                                    "/x/admin"])
def test_what_only_looks_like_admin_is_another_path(guarded, target):
    with Raw(guarded[1].address()) as client:
        assert Told(client.get(target)).target.lower() == target.lower()
