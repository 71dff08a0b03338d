"""Which route a request takes: every predicate, and the documented precedence. Routes answer with
their own name, so no backend is needed."""
import pytest

from harness import config
from harness.origin import Told
from harness.raw import Raw, assert_problem

LIST_ORDER = [  # (name, match); the order is deliberately not that of precedence
    ("any", {}),
    ("host-any-path", {"host": "api.example.com"}),
    ("wild-1", {"host": "*.example.com", "path": "/wild/**"}),
    ("wild-2", {"host": "*.api.example.com", "path": "/wild/**"}),
    ("exact-host", {"host": "api.example.com", "path": "/wild/**"}),
    ("several-hosts", {"host": ["one.test", "two.test"]}),
    ("prefix", {"path": "/p/**"}),
    ("glob", {"path": "/p/*.png"}),
    ("param", {"path": "/p/{id}"}),
    ("literal", {"path": "/p/here"}),
    ("regex", {"path": {"regex": "/p/h[a-z]+"}}),
    ("regex-alone", {"path": {"regex": "/r/[0-9]+"}}),
    ("deep-prefix", {"path": "/p/deep/**"}),
    ("param-then-literal", {"path": "/p/{id}/edit"}),
    ("literal-then-param", {"path": "/p/deep/{id}"}),
    ("several-paths", {"path": ["/s1", "/s2/**"]}),
    ("exact", {"path": "/exact"}),
    ("slash", {"path": "/slash/"}),
    ("root", {"host": "root.test", "path": "/"}),
    ("read", {"path": "/m", "method": ["GET", "HEAD"]}),
    ("write", {"path": "/m", "method": "POST"}),
    ("only-post", {"host": "m.test", "path": "/only", "method": ["POST", "PUT"]}),
    ("h-plain", {"path": "/h"}),
    ("h-exact", {"path": "/h", "header": {"x-version": "2"}}),
    ("h-present", {"path": "/h", "header": {"x-debug": {"present": True}}}),
    ("h-regex", {"path": "/h", "header": {"x-a": {"regex": "^v[0-9]+$"}}}),
    ("h-prefix", {"path": "/h", "header": {"x-c": {"prefix": "b"}}}),
    ("h-two", {"path": "/h", "header": {"x-version": "2", "x-a": {"regex": "^v"}}}),
    ("h-absent", {"path": "/ha", "header": {"x-b": {"absent": True}}}),
    ("q-page", {"path": "/q", "query": {"page": "1"}}),
    ("q-flag", {"path": "/q", "query": {"flag": {"present": True}}}),
    ("q-odd", {"path": "/q", "query": {"a b": "c&d"}}),
    ("cookie", {"path": "/c", "cookie": {"beta": "yes"}}),
    ("client", {"path": "/ip", "client": ["127.0.0.0/8", "::1"]}),
    ("not-client", {"path": "/ip6", "client": ["10.0.0.0/8"]}),
    ("first-of-two", {"path": "/twice"}),
    ("second-of-two", {"path": "/twice"}),
]

CASES = [  # (host, target, method, headers, route)
    ("x.test", "/", "GET", [], "any"),
    ("x.test", "/nothing/here", "GET", [], "any"),
    ("api.example.com", "/", "GET", [], "host-any-path"),
    ("API.Example.COM", "/", "GET", [], "host-any-path"),
    ("api.example.com:8080", "/", "GET", [], "host-any-path"),
    ("api.example.com.", "/", "GET", [], "host-any-path"),
    ("www.example.com", "/wild/a", "GET", [], "wild-1"),
    ("a.b.example.com", "/wild/a", "GET", [], "wild-1"),
    ("v1.api.example.com", "/wild/a", "GET", [], "wild-2"),
    ("api.example.com", "/wild/a", "GET", [], "exact-host"),
    ("example.com", "/wild/a", "GET", [], "any"),
    ("badexample.com", "/wild/a", "GET", [], "any"),
    ("one.test", "/", "GET", [], "several-hosts"),
    ("two.test", "/a/b", "GET", [], "several-hosts"),
    ("x.test", "/p", "GET", [], "prefix"),
    ("x.test", "/p/", "GET", [], "prefix"),
    ("x.test", "/p/a/b", "GET", [], "prefix"),
    ("x.test", "/pp", "GET", [], "any"),
    ("x.test", "/p/a", "GET", [], "param"),
    ("x.test", "/p/a.png", "GET", [], "param"),
    ("x.test", "/p/here", "GET", [], "literal"),
    ("x.test", "/p/here/", "GET", [], "prefix"),
    ("x.test", "/p/hex", "GET", [], "param"),
    ("x.test", "/r/42", "GET", [], "regex-alone"),
    ("x.test", "/r/42x", "GET", [], "any"),
    ("x.test", "/p/deep", "GET", [], "deep-prefix"),
    ("x.test", "/p/deep/a/b", "GET", [], "deep-prefix"),
    ("x.test", "/p/deep/a", "GET", [], "literal-then-param"),
    ("x.test", "/p/deep/edit", "GET", [], "literal-then-param"),
    ("x.test", "/p/7/edit", "GET", [], "param-then-literal"),
    ("x.test", "/s1", "GET", [], "several-paths"),
    ("x.test", "/s2/a", "GET", [], "several-paths"),
    ("x.test", "/exact", "GET", [], "exact"),
    ("x.test", "/exact?a=b", "GET", [], "exact"),
    ("x.test", "/exact/", "GET", [], "any"),
    ("x.test", "/EXACT", "GET", [], "any"),
    ("x.test", "/slash/", "GET", [], "slash"),
    ("x.test", "/slash", "GET", [], "any"),
    ("root.test", "/", "GET", [], "root"),
    ("x.test", "/m", "GET", [], "read"),
    ("x.test", "/m", "POST", [], "write"),
    ("x.test", "/m", "DELETE", [], "any"),
    ("x.test", "/h", "GET", [], "h-plain"),
    ("x.test", "/h", "GET", ["X-Version: 2"], "h-exact"),
    ("x.test", "/h", "GET", ["X-VERSION: 2"], "h-exact"),
    ("x.test", "/h", "GET", ["X-Version: 22"], "h-plain"),
    ("x.test", "/h", "GET", ["X-Debug:"], "h-present"),
    ("x.test", "/h", "GET", ["X-A: v12"], "h-regex"),
    ("x.test", "/h", "GET", ["X-A: w12"], "h-plain"),
    ("x.test", "/h", "GET", ["X-C: banana"], "h-prefix"),
    ("x.test", "/h", "GET", ["X-Version: 2", "X-A: v1"], "h-two"),
    ("x.test", "/h", "GET", ["X-Version: 2", "X-Debug: 1"], "h-exact"),
    ("x.test", "/ha", "GET", [], "h-absent"),
    ("x.test", "/ha", "GET", ["X-B: 1"], "any"),
    ("x.test", "/q?page=1", "GET", [], "q-page"),
    ("x.test", "/q?a=b&page=1&c", "GET", [], "q-page"),
    ("x.test", "/q?page=12", "GET", [], "any"),
    ("x.test", "/q?xpage=1", "GET", [], "any"),
    ("x.test", "/q?flag", "GET", [], "q-flag"),
    ("x.test", "/q?flag=", "GET", [], "q-flag"),
    ("x.test", "/q?a%20b=c%26d", "GET", [], "q-odd"),
    ("x.test", "/q?a+b=c%26d", "GET", [], "q-odd"),
    ("x.test", "/q", "GET", [], "any"),
    ("x.test", "/c", "GET", ["Cookie: a=b; beta=yes"], "cookie"),
    ("x.test", "/c", "GET", ["Cookie: beta=yes; a=b"], "cookie"),
    ("x.test", "/c", "GET", ["Cookie: xbeta=yes"], "any"),
    ("x.test", "/c", "GET", ["Cookie: beta=no"], "any"),
    ("x.test", "/ip", "GET", [], "client"),
    ("x.test", "/ip6", "GET", [], "any"),
    ("x.test", "/twice", "GET", [], "first-of-two"),
    ("api.example.com", "http://api.example.com/wild/a", "GET", [], "exact-host"),
]


def routes(pairs):
    return {"version": 1, "listeners": [{"name": "web", "address": "127.0.0.1:0"}],
            "routes": [{"name": name, "match": match,
                        "respond": {"status": 200, "body": name}} for name, match in pairs]}


@pytest.fixture(scope="module")
def routed(module_peers):
    gateway = module_peers.gateway(routes(LIST_ORDER))
    with Raw(gateway.address()) as client:
        yield client


@pytest.mark.parametrize("host,target,method,headers,route", CASES)
def test_a_request_takes_its_route(routed, host, target, method, headers, route):
    answer = routed.get(target, *headers, method=method, host=host)
    assert (answer.status, answer.body.decode()) == (200, route)


def test_no_route_is_404(peers):
    client = peers.client(peers.gateway(routes([("a", {"path": "/a"})])))
    problem = assert_problem(client.get("/b"), 404, "no_route")
    assert not problem.get("route")
    assert client.get("/a").status == 200


def test_a_path_that_matches_with_other_methods_only_is_405_with_allow(peers):
    client = peers.client(peers.gateway(routes([
        ("read", {"path": "/a", "method": ["GET", "HEAD"]}),
        ("write", {"path": "/a", "method": "PUT"}),
        ("b", {"path": "/b", "method": "POST", "header": {"x-a": "1"}})])))
    answer = client.get("/a", method="DELETE")
    assert_problem(answer, 405, "method_not_allowed")
    assert sorted(answer.get("allow").split(", ")) == ["GET", "HEAD", "PUT"]
    assert client.get("/nowhere", method="DELETE").status == 404


def test_a_route_for_get_does_not_take_head(peers):
    client = peers.client(peers.gateway(routes([
        ("get", {"path": "/get", "method": "GET"}),
        ("both", {"path": "/both", "method": ["GET", "HEAD"]})])))
    refused = client.get("/get", method="HEAD")
    assert (refused.status, refused.get("allow")) == (405, "GET")
    assert client.get("/get").body == b"get"
    assert client.get("/both", method="HEAD").status == 200


def test_parameters_are_as_they_stand_in_the_path_for_policies(peers):
    """Percent-encoded, in the path's normal form."""
    settings = config.proxy(peers.origin(), route={"match": {"path": "/users/{id}/files/{name}"}},
                            policies=[{"headers": {"request": {"set": {
                                "x-id": "{route.param.id}", "x-name": "{route.param.name}"}}}}])
    client = peers.client(peers.gateway(settings))
    for id_sent, name_sent, id_told, name_told in (
            ("7", "a.txt", "7", "a.txt"),
            ("caf%c3%a9%20bar", "%7Ea%2Eb", "caf%C3%A9%20bar", "~a.b"),
            ("a%3Fb", "%25", "a%3Fb", "%25")):
        told = Told(client.get(f"/users/{id_sent}/files/{name_sent}"))
        assert (told.get("x-id"), told.get("x-name")) == (id_told, name_told)


def test_ten_thousand_routes_are_all_found(peers):
    pairs = [(f"r{n}", {"path": f"/area{n % 100}/item{n}/{{id}}"}) for n in range(10000)]
    client = peers.client(peers.gateway(routes(pairs)))
    for number in (0, 1, 4999, 9998, 9999):
        answer = client.get(f"/area{number % 100}/item{number}/x")
        assert answer.body.decode() == f"r{number}"
    assert client.get("/area1/item0/x").status == 404
