"""HTTP/1.1 towards clients: what a well-behaved or odd client may rely on (RFC 9110, 9112)."""
import email.utils
import hashlib
import time

import pytest

from harness import config, raw
from harness.origin import Told
from harness.raw import Raw, assert_problem, chunked, request


def test_connections_are_kept_alive(web):
    with web.client() as client:
        for number in range(5):
            answer = client.get(f"/{number}")
            assert Told(answer).target == f"/{number}"
            assert "close" not in answer.get("connection", "")


def test_connection_close_is_honoured(web):
    with web.client() as client:
        answer = client.get("/", "Connection: close")
        assert answer.status == 200 and answer.get("connection") == "close"
        assert client.at_end()


def test_connection_close_is_found_in_a_list_and_in_any_case(web):
    with web.client() as client:
        assert client.get("/", "Connection: x-a, CLOSE").get("connection") == "close"
        assert client.at_end()


def test_pipelined_requests_are_answered_in_order(web):
    with web.client() as client:
        client.send(b"".join(request(f"/{n}") for n in range(20)))
        assert [Told(client.recv_response()).target for _ in range(20)] == [
            f"/{n}" for n in range(20)]


def test_pipelined_requests_with_bodies_are_told_apart(web):
    bodies = [b"x" * n for n in (0, 1, 100, 70000, 3)]
    with web.client() as client:
        client.send(b"".join(request("/", method="POST", body=b) for b in bodies))
        for body in bodies:
            assert Told(client.recv_response()).sha256 == hashlib.sha256(body).hexdigest()


def test_pipelining_goes_on_after_a_chunked_body(web):
    with web.client() as client:
        client.send(request("/1", "Transfer-Encoding: chunked", method="POST") + chunked(b"abc") +
                    request("/2"))
        assert Told(client.recv_response()).body == "abc"
        assert Told(client.recv_response()).target == "/2"


def test_a_thousand_pipelined_requests_do_not_starve_others(web):
    with web.client() as client, web.client() as other:
        client.send(b"".join(request(f"/{n}") for n in range(1000)))
        assert Told(other.get("/other")).target == "/other"
        assert [Told(client.recv_response()).target for _ in range(1000)][-1] == "/999"


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
def test_requests_in_small_segments_are_understood(web, size):
    body = chunked(b"abc", b"d" * 40, extension=";n=\"v\"", trailers=["X-T: 1"])
    with web.client() as client:
        client.send_split(request("/a?b", "Transfer-Encoding: chunked", method="POST") + body, size)
        told = Told(client.recv_response())
        assert (told.target, told.body) == ("/a?b", "abc" + "d" * 40)
        assert Told(client.get("/next")).target == "/next"


def test_one_empty_line_before_a_request_is_ignored(web):
    with web.client() as client:
        assert client.request(b"\r\n" + request("/a"), "GET").status == 200


def test_chunked_requests_arrive_whole_with_trailers(web):
    with web.client() as client:
        told = Told(client.request(
            request("/", "Transfer-Encoding: chunked", "Trailer: X-Sum", method="POST") +
            chunked(b"one", b"two", trailers=["X-Sum: 9"])))
    assert (told.body, told.framing) == ("onetwo", "chunked")
    assert told.trailers == [["X-Sum", "9"]] or told.trailers == [["x-sum", "9"]]


@pytest.mark.parametrize("name", ["Content-Length", "Transfer-Encoding", "Host", "Connection"])
def test_trailers_cannot_carry_framing_or_routing(web, name):
    with web.client() as client:
        answer = client.request(request("/", "Transfer-Encoding: chunked", method="POST") +
                                chunked(b"a", trailers=[f"{name}: 5"]))
    if answer.status == 200:
        assert Told(answer).trailers == []
    else:
        assert answer.status == 400


def test_chunk_extensions_are_not_forwarded(web):
    marker = b"ext-that-must-not-travel"
    with web.client() as client:
        answer = client.request(request("/", "Transfer-Encoding: chunked", method="POST") +
                                chunked(b"abc", extension=f";{marker.decode()}=1"))
        assert Told(answer).body == "abc"
    assert marker not in web.origin.received()


def test_the_transfer_coding_name_is_case_insensitive(web):
    with web.client() as client:
        assert Told(client.request(request("/", "Transfer-Encoding: Chunked", method="POST") +
                                   chunked(b"abc"))).body == "abc"


def test_expect_100_continue_gets_its_100_before_the_body(web):
    with web.client() as client:
        client.send(request("/", "Expect: 100-continue", "Content-Length: 3", method="POST"))
        assert client.recv_head().status == 100
        assert Told(client.send(b"abc").recv_response()).body == "abc"
        assert Told(client.get("/next")).target == "/next"


def test_a_backend_that_refuses_needs_no_body_after_expect(peers):
    def refuse(connection):
        connection.recv_head()
        connection.send(raw.response(401, "Connection: close", body=b"who?", reason="No"))
    backend = peers.backend(refuse)
    client = peers.client(peers.gateway(config.proxy(backend)))
    client.send(request("/", "Expect: 100-continue", "Content-Length: 3", method="POST"))
    answer = client.recv_response()
    assert (answer.status, answer.body, answer.interim) == (401, b"who?", [])


def test_a_refusal_by_doorward_needs_no_body_after_expect(peers):
    gateway = peers.gateway(config.proxy(peers.origin(), route={"match": {"path": "/here"}}))
    client = peers.client(gateway)
    client.send(request("/gone", "Expect: 100-continue", "Content-Length: 3", method="POST"))
    answer = client.recv_response()
    assert_problem(answer, 404, "no_route")
    assert answer.interim == []
    # The body may or may not follow, so the connection cannot be used for another request.
    assert client.at_end()


def test_unknown_expectations_are_refused_with_417(web):
    with web.client() as client:
        assert_problem(client.get("/", "Expect: the-unexpected"), 417, "unknown_expectation")


def test_expect_in_http_1_0_is_ignored(web):
    with web.client() as client:
        answer = client.request(request("/", "Expect: 100-continue", method="POST", body=b"abc",
                                        version="1.0"))
        assert (answer.status, answer.interim) == (200, [])


def test_head_has_the_headers_of_get_and_no_body(web):
    with web.client() as client:
        head = client.get("/bytes/1000", method="HEAD")
        assert (head.status, head.get("content-length"), head.body) == (200, "1000", b"")
        assert client.get("/bytes/1000").body_length == 1000


def test_head_of_a_chunked_resource_has_no_body(web):
    with web.client() as client:
        assert client.get("/chunked/1000", method="HEAD").body == b""
        assert Told(client.get("/next")).target == "/next"


def test_head_of_a_problem_has_no_body(peers):
    gateway = peers.gateway(config.proxy(peers.origin(), route={"match": {"path": "/here"}}))
    client = peers.client(gateway)
    assert client.get("/gone", method="HEAD").status == 404
    assert client.get("/here").status == 200


@pytest.mark.parametrize("status", [204, 304])
def test_bodiless_statuses_have_no_body_and_keep_the_connection(web, status):
    with web.client() as client:
        answer = client.get(f"/status/{status}")
        assert answer.status == status and not answer.has("transfer-encoding")
        assert status != 204 or not answer.has("content-length")
        assert Told(client.get("/next")).target == "/next"


def test_hop_by_hop_headers_do_not_reach_the_backend(web):
    with web.client() as client:
        told = Told(client.get("/", "Connection: x-hop, keep-alive", "X-Hop: 1", "Keep-Alive: 5",
                               "Proxy-Connection: keep-alive", "Proxy-Authorization: Basic eDp5",
                               "TE: gzip", "X-End: 2"))
    for name in ("x-hop", "keep-alive", "proxy-connection"):
        assert not told.all(name), name
    assert told.get("x-end") == "2"
    assert "gzip" not in (told.get("te") or "")


def test_te_trailers_may_pass_only_as_a_hop_of_its_own(web):
    with web.client() as client:
        told = Told(client.get("/", "TE: trailers, deflate;q=0.5", "Connection: TE"))
    assert told.all("te") in ([], ["trailers"])
    if told.all("te"):
        assert "te" in told.get("connection").lower()


@pytest.mark.parametrize("name", ["Host", "Content-Length", "Authorization", "X-Forwarded-For",
                                  "Cookie", "Via"])
def test_connection_cannot_name_away_end_to_end_headers(web, name):
    """Connection: X makes X hop-by-hop; for these that would be an attack, so it has no effect
    or the request is refused."""
    with web.client() as client:
        answer = client.request(request("/", f"Connection: {name}", "Authorization: a", "Cookie: c",
                                        method="POST", body=b"abc"))
        if answer.status == 400:
            return
        told = Told(answer)
    assert told.body == "abc" and told.get("host")
    assert told.get("x-forwarded-for") and told.get("via")


def test_http_1_0_clients_get_a_delimited_body_and_a_close(web):
    with web.client() as client:
        answer = client.request(request("/chunked/300000", version="1.0"))
        assert answer.status == 200 and answer.body_length == 300000
        assert not answer.has("transfer-encoding")
        assert client.at_end()


def test_http_1_0_clients_may_ask_to_keep_the_connection(web):
    with web.client() as client:
        answer = client.get("/", "Connection: keep-alive")
        answer = client.request(request("/", "Connection: keep-alive", version="1.0"))
        assert answer.status == 200
        if answer.get("connection", "").lower() == "keep-alive":
            assert Told(client.get("/next")).target == "/next"
        else:
            assert client.at_end()


def test_http_1_0_clients_need_no_host(web):
    with web.client() as client:
        assert client.request(request("/", host=None, version="1.0")).status == 200


def test_http_1_0_clients_never_see_interim_responses(peers):
    backend = peers.backend(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" +
                            raw.response(200, body=b"x"))
    client = peers.client(peers.gateway(config.proxy(backend)))
    answer = client.request(request("/", version="1.0"))
    assert (answer.status, answer.interim) == (200, [])


def test_backends_are_spoken_to_in_http_1_1(web):
    with web.client() as client:
        assert Told(client.request(request("/", version="1.0"))).version == 1


def test_absolute_form_becomes_origin_form(web):
    with web.client() as client:
        told = Told(client.get("http://real.example.com/a?b=c", host="real.example.com"))
    assert (told.target, told.get("host")) == ("/a?b=c", "real.example.com")


def test_absolute_form_with_another_host_is_refused(web):
    with web.client() as client:
        answer = client.get("http://real.example.com/a", host="other.example.com")
        assert_problem(answer, 400, "host_differs")


def test_absolute_form_without_a_path_asks_for_the_root(web):
    with web.client() as client:
        assert Told(client.get("http://example.com")).target == "/"
        assert Told(client.get("http://example.com?a=b")).target == "/?a=b"


def test_options_asterisk_is_answered(web):
    with web.client() as client:
        answer = client.get("*", method="OPTIONS")
        assert answer.status in (200, 204, 400, 404, 405)
        if answer.status in (200, 204) and answer.body:
            assert Told(answer).target == "*"


def test_an_asterisk_is_only_for_options(web):
    with web.client() as client:
        assert client.get("*").status == 400


def test_connect_is_refused(web):
    with web.client() as client:
        answer = client.get("example.com:443", method="CONNECT")
        assert_problem(answer, 501, "connect_unsupported")


@pytest.mark.parametrize("lines", [
    [], ["Host: a", "Host: a"], ["Host: a", "Host: b"], ["Host: a b"], ["Host: a/b"],
    ["Host: a@b"], ["Host: a:b"], ["Host: a:99999"], ["Host: [::1"], ["Host: a,b"]])
def test_bad_hosts_are_refused(web, lines):
    before = len(web.origin.requests)
    with web.client() as client:
        answer = client.request(request("/", *lines, host=None))
        assert answer.status == 400 and answer.json()["code"], answer
    assert len(web.origin.requests) == before


@pytest.mark.parametrize("host", ["example.com", "EXAMPLE.com:8080", "127.0.0.1", "[::1]:80",
                                  "[::1]", "xn--bcher-kva.example", "a_b.example"])
def test_good_hosts_reach_the_backend_as_they_came(web, host):
    with web.client() as client:
        assert Told(client.get("/", host=host)).get("host").lower() == host.lower()


def test_via_names_this_hop_in_requests(web):
    with web.client() as client:
        told = Told(client.get("/", "Via: 1.0 first"))
    hops = ", ".join(told.all("via")).split(", ")
    assert hops[0] == "1.0 first" and len(hops) == 2 and hops[1].startswith("1.1 ")


def test_via_can_be_switched_off(peers):
    gateway = peers.gateway(config.proxy(peers.origin(), listener={"via": False}))
    assert not Told(peers.client(gateway).get("/")).all("via")


def parsed_date(answer):
    moment = email.utils.parsedate_to_datetime(answer.get("date"))
    assert answer.get("date").endswith(" GMT")
    return moment.timestamp()


def test_doorwards_own_answers_carry_a_date(peers):
    client = peers.client(peers.gateway(config.respond()))
    assert abs(parsed_date(client.get("/")) - time.time()) < 5


def test_a_missing_date_is_added_to_a_backends_answer(web):
    with web.client() as client:
        assert abs(parsed_date(client.get("/")) - time.time()) < 5


def test_a_backends_date_is_kept(peers):
    date = "Sun, 06 Nov 1994 08:49:37 GMT"
    backend = peers.backend(raw.response(200, f"Date: {date}"))
    assert peers.client(peers.gateway(config.proxy(backend))).get("/").get("date") == date


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "QUERY",
                                    "PROPFIND", "X-OWN"])
def test_methods_pass_through(web, method):
    with web.client() as client:
        assert Told(client.get("/", method=method)).method == method


def test_bodies_of_any_method_pass_through(web):
    with web.client() as client:
        for method in ("GET", "DELETE", "OPTIONS", "QUERY"):
            told = Told(client.request(request("/", method=method, body=b"abc"), method))
            assert (told.method, told.body) == (method, "abc")


def test_known_methods_in_the_wrong_case_are_refused(web):
    with web.client() as client:
        assert_problem(client.get("/", method="get"), 400, "bad_method")


def test_header_values_reach_the_backend_byte_for_byte(web):
    value = "a\tb  c \xe9\xff \"quoted, \" ;=,"
    with web.client() as client:
        told = Told(client.get("/", f"X-Odd: {value}", "X-Empty:", "X-Twice: 1", "x-twice: 2"))
    assert told.get("x-odd") == value and told.get("x-empty") == ""
    assert told.all("x-twice") == ["1", "2"]


def test_unchanged_headers_keep_their_order_and_spelling(web):
    with web.client() as client:
        told = Told(client.get("/", "X-One: 1", "x-TWO: 2", "X-Three: 3"))
    names = [n for n, _ in told.headers]
    assert [n for n in names if n.lower().startswith("x-") and "forwarded" not in n.lower()
            and "request-id" not in n.lower()] == ["X-One", "x-TWO", "X-Three"]


def test_a_body_of_length_zero_is_no_chunked_body(web):
    with web.client() as client:
        told = Told(client.request(request("/", method="POST", body=b"")))
        assert told.framing == "length" and told.body == ""


def test_requests_without_a_body_gain_none(web):
    with web.client() as client:
        assert Told(client.get("/")).framing == "none"


def test_a_long_wait_between_requests_holds_nothing_up(web):
    clients = [web.client() for _ in range(200)]
    for client in clients:
        client.send(b"GET /slow HTTP/1.1\r\nHo")
    with web.client() as quick:
        assert quick.get("/").status == 200
    for client in clients:
        assert Told(client.send(b"st: a\r\n\r\n").recv_response()).target == "/slow"
        client.close()


def test_answers_that_cross_a_100_come_after_it(peers):
    """The backend refuses while the 100 goes out: one after the other reaches the client."""
    nginx = peers.nginx(rest="location /refused { return 401; }")
    gateway = peers.gateway(config.proxy(nginx))
    text = request("/refused", "Expect: 100-continue", "Content-Length: 1000", method="POST")
    for _ in range(5):
        clients = [Raw(gateway.address()) for _ in range(100)]
        for client in clients:
            client.send(text)
        for client in clients:
            assert client.recv_response().status == 401
            client.close()
    assert gateway.alive()


@pytest.mark.parametrize("interim", [b"HTTP/1.1 100 Continue\r\n\r\n", b""])
def test_hints_that_cross_a_100_come_one_after_the_other(peers, interim):
    hint = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"

    def script(connection):
        while head := connection.recv_head():
            connection.send(interim + hint + hint)
            sum(len(piece) for piece in connection.body_pieces(head))
            connection.send(raw.response(200, body=b"done"))
    gateway = peers.gateway(config.proxy(peers.backend(script)))
    text = request("/", "Expect: 100-continue", "Content-Length: 3", method="POST")
    clients = [Raw(gateway.address()).send(text) for _ in range(50)]
    for client in clients:
        seen = [client.recv_head().status for _ in range(3)]
        assert sorted(seen) == [100, 103, 103]
        assert client.send(b"abc").recv_response().body == b"done"
        client.close()
    assert gateway.alive()


def test_a_client_cannot_name_policies_headers_in_connection(peers):
    origin = peers.origin()
    gateway = peers.gateway(config.proxy(origin, policies=[
        {"headers": {"request": {"set": {"x-tenant": "t1"}}}}]))
    told = Told(peers.client(gateway).get("/", "Connection: x-tenant, x-mine", "X-Mine: 1"))
    assert told.get("x-tenant") == "t1" and told.get("x-mine") is None


def test_policies_may_set_forwarding_headers(peers):
    gateway = peers.gateway(config.proxy(peers.origin(), listener={"forwarded": "off"}, policies=[
        {"headers": {"request": {"set": {"x-forwarded-proto": "https"}}}}]))
    told = Told(peers.client(gateway).get("/", "X-Forwarded-Proto: gopher"))
    assert told.get("x-forwarded-proto") == "https"
