"""Policy `external_auth`: a service is asked about each request."""
import threading

from harness import backend as backends
from harness import config, raw
from harness.origin import Told
from harness.raw import Raw, assert_problem, request


def guarded(peers, auth, **settings):
    """(origin, gateway): the origin behind an auth service, which is a script or bytes or a URL."""
    asked = auth if isinstance(auth, str) else peers.backend(auth)
    origin = peers.origin()
    policy = {"external_auth": {"service": "auth", "path": "/check", **settings}}
    top = config.proxy(origin, policies=[policy])
    top["services"]["auth"] = {"endpoints": [getattr(asked, "url", asked)]}
    return asked, origin, peers.gateway(top)


def test_an_approved_request_passes_and_its_body_with_it(peers):
    asked, _, gateway = guarded(peers, raw.response(200))
    client = peers.client(gateway)
    told = Told(client.request(request("/a", method="POST", body=b"x" * 100000)))
    assert told.body_length == 100000
    assert asked.requests[0].target == "/check" and asked.requests[0].method == "GET"
    assert asked.requests[0].framing == "none"


def test_a_204_approves_too(peers):
    _, _, gateway = guarded(peers, raw.response(204, length=False))
    assert peers.client(gateway).get("/").status == 200


def test_a_refusal_reaches_the_client_with_its_chosen_headers(peers):
    refusal = raw.response(401, "WWW-Authenticate: Bearer", "X-Secret: 1",
                           "Content-Type: text/plain", body=b"who are you?", reason="No")
    _, origin, gateway = guarded(peers, refusal, to_client=["www-authenticate"])
    client = peers.client(gateway)
    for _ in range(2):
        answer = client.get("/")
        assert (answer.status, answer.body) == (401, b"who are you?")
        assert answer.get("www-authenticate") == "Bearer" and not answer.has("x-secret")
    assert not origin.requests


def test_a_refusal_comes_before_the_body_is_asked_for(peers):
    _, origin, gateway = guarded(peers, raw.response(403, body=b"no"))
    client = peers.client(gateway)
    client.send(request("/", "Expect: 100-continue", "Content-Length: 5", method="POST"))
    answer = client.recv_response()
    assert (answer.status, answer.interim) == (403, []) and not origin.requests


def test_chosen_headers_are_shown_to_the_service(peers):
    asked, _, gateway = guarded(peers, raw.response(200), headers=["authorization"])
    peers.client(gateway).get("/", "Authorization: Bearer t", "Cookie: secret=1")
    head = asked.requests[0]
    assert head.get("authorization") == "Bearer t" and not head.has("cookie")


def test_chosen_answers_reach_the_backend_and_cannot_be_forged(peers):
    _, _, gateway = guarded(peers, raw.response(200, "X-User: alice", "X-Other: 1"),
                            to_backend=["x-user", "x-role"])
    told = Told(peers.client(gateway).get("/", "X-User: admin", "X-Role: root"))
    assert told.all("x-user") == ["alice"] and not told.all("x-role") and not told.all("x-other")


def test_path_and_method_can_be_chosen(peers):
    asked, _, gateway = guarded(peers, raw.response(200), method="POST",
                                path="/check{request.path}?host={request.host}")
    peers.client(gateway).get("/a/b", host="shop.example.com")
    head = asked.requests[0]
    assert head.method == "POST" and head.target == "/check/a/b?host=shop.example.com"


def test_the_services_connections_are_reused(peers):
    asked, _, gateway = guarded(peers, raw.response(200))
    client = peers.client(gateway)
    for _ in range(5):
        assert client.get("/").status == 200
    assert len(asked.connections) == 1 and len(asked.requests) == 5


def dead_url():
    listener, url = backends.listen()
    listener.close()
    return url


def test_an_absent_service_denies_by_default(peers):
    _, origin, gateway = guarded(peers, dead_url())
    problem = assert_problem(peers.client(gateway).get("/"), 503, "auth_unavailable", route="all",
                             policy="external_auth")
    assert "auth" in problem["detail"] and "refused" in problem["detail"]
    assert not origin.requests


def test_an_absent_service_may_be_told_to_allow(peers):
    _, origin, gateway = guarded(peers, dead_url(), on_error="allow")
    assert peers.client(gateway).get("/").status == 200 and origin.requests


def test_an_error_of_the_service_is_no_answer(peers):
    _, origin, gateway = guarded(peers, raw.response(500, body=b"oops"))
    problem = assert_problem(peers.client(gateway).get("/"), 503, "auth_unavailable")
    assert "500" in problem["detail"]
    assert not origin.requests


def silent(connection):
    connection.recv_request()
    connection.at_end()


def test_a_silent_service_denies_at_the_deadline(peers):
    _, origin, gateway = guarded(peers, silent, timeout="300ms")
    problem = assert_problem(peers.client(gateway).get("/"), 503, "auth_unavailable")
    assert "auth" in problem["detail"] and "300ms" in problem["detail"]
    assert not origin.requests


def test_a_silent_service_allows_at_the_deadline_when_told_to(peers):
    _, _, gateway = guarded(peers, silent, timeout="300ms", on_error="allow")
    assert peers.client(gateway).get("/").status == 200
    event = gateway.wait_event("policy_skipped")
    assert (event["policy"], event["code"]) == ("external_auth", "auth_unavailable")
    assert "300ms" in event["reason"] and not gateway.events("shadow_reply")


def test_a_client_that_leaves_while_the_service_thinks_harms_nobody(peers):
    go_on = threading.Event()

    def slow(connection):
        while connection.recv_request():
            go_on.wait(20)
            connection.send(raw.response(200))
    asked, _, gateway = guarded(peers, slow, timeout="30s")
    client = peers.client(gateway)
    client.send(request("/"))
    asked.wait_requests()
    client.reset()
    go_on.set()
    with Raw(gateway.address()) as other:
        assert other.get("/other").status == 200


def test_others_are_served_while_the_service_thinks(peers):
    go_on = threading.Event()

    def slow(connection):
        while connection.recv_request():
            go_on.wait(20)
            connection.send(raw.response(200))
    asked = peers.backend(slow)
    top = config.proxy(peers.origin(), route={"match": {"path": "/guarded"}}, policies=[
        {"external_auth": {"service": "auth", "timeout": "30s"}}])
    top["services"]["auth"] = {"endpoints": [asked.url]}
    top["routes"].append({"name": "open", "service": "app"})
    gateway = peers.gateway(top)
    waiting = peers.client(gateway)
    waiting.send(request("/guarded"))
    asked.wait_requests()
    assert Told(peers.client(gateway).get("/open")).target == "/open"
    go_on.set()
    assert waiting.recv_response().status == 200


def test_shadow_mode_asks_but_lets_pass(peers):
    asked, origin, gateway = guarded(peers, raw.response(403), mode="shadow")
    assert peers.client(gateway).get("/").status == 200
    assert asked.requests and origin.requests
    assert gateway.metrics().sum("doorward_shadow_replies_total", route="all") == 1


def test_the_timeout_covers_the_whole_answer(peers):
    def drip(connection):
        connection.recv_request()
        connection.send(raw.response(200, "Content-Length: 1000", length=False))
        try:
            while not connection.over.wait(0.1):
                connection.send(b"x")
        except OSError:
            pass
    _, _, gateway = guarded(peers, drip, timeout="500ms")
    assert_problem(peers.client(gateway).get("/"), 503, "auth_unavailable")
