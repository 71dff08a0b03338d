"""gRPC through the gateway: a real client and a real server, all kinds of calls, deadlines, and
replies of Doorward's own as gRPC statuses."""
import queue
import re
import threading

import pytest

from harness import config, raw
from harness.clients import curl
from harness.waiting import DEADLINE, eventually

grpc = pytest.importorskip("grpc")
from harness.grpc_peer import PACKAGE, Client, GrpcBackend  # noqa: E402

Code = grpc.StatusCode


class Way:
    """A client, a gateway and a backend."""

    def __init__(self, peers, backend=None, ca=None, **options):
        self.backend = backend or peers.add(GrpcBackend())
        service = {"protocol": "http2", **options.pop("service", {})}
        self.gateway = peers.gateway(config.proxy(self.backend, service=service, **options))
        self.client = peers.add(Client(self.gateway.address(), ca))

    def post(self, method, *headers, kind="application/grpc"):
        """A call without messages by curl, which keeps no deadline of its own: (headers, body)."""
        answer = curl("--http2-prior-knowledge", "-i", "-H", f"content-type: {kind}",
                      "-H", "te: trailers", *[x for h in headers for x in ("-H", h)],
                      "-X", "POST", f"http://{self.gateway.address()}{PACKAGE}{method}")
        assert answer.returncode == 0, answer.stderr
        head, _, rest = answer.stdout.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        fields = dict(line.split(": ", 1) for line in lines[1:])
        return {"status": lines[0].split(" ")[1], **fields}, rest


@pytest.fixture
def way(peers):
    return Way(peers)


def silent(connection):
    """A backend that takes everything and says nothing."""
    connection.at_end()


def code_in(text):
    """The problem code that a message ends with."""
    found = re.search(r"\((\w+)\)\Z", text)
    assert found, text
    return found[1]


# --- calls ---------------------------------------------------------------------------------------
def test_a_unary_call_is_answered(way):
    answer, call = way.client.call("Unary", b"hello")
    assert answer == b"hello" and call.code() == Code.OK
    assert way.client.call("Unary", b"")[0] == b""
    assert [method for method, _ in way.backend.calls] == [PACKAGE + "Unary"] * 2


def test_many_calls_share_a_connection(way):
    pending = [way.client.channel.unary_unary(PACKAGE + "Unary").future(b"%d" % n, timeout=DEADLINE)
               for n in range(200)]
    assert [one.result() for one in pending] == [b"%d" % n for n in range(200)]


def test_a_client_stream_is_uploaded(way):
    messages = [b"%d," % n for n in range(500)]
    assert way.client.upload("Upload", messages) == b"".join(messages)
    assert way.client.upload("Upload", []) == b""


def test_a_server_stream_is_downloaded(way):
    got = list(way.client.download("Download", b"300,1000"))
    assert len(got) == 300 and got[7] == b"\7" * 1000
    assert list(way.client.download("Download", b"0,0")) == []


def test_a_dialogue_goes_both_ways_message_by_message(way):
    questions = queue.Queue()
    answers = way.client.chat("Chat", iter(questions.get, None))
    for number in range(20):
        questions.put(b"question %d" % number)
        assert next(answers) == b"question %d" % number  # before the next one is asked
    questions.put(None)
    assert list(answers) == [] and answers.code() == Code.OK


def test_a_message_of_twenty_megabytes_goes_both_ways(way):
    message = bytes(range(256)) * 80_000
    assert way.client.call("Unary", message, timeout=4 * DEADLINE)[0] == message


def test_a_client_that_cancels_ends_the_backends_call(way):
    call = way.client.channel.unary_unary(PACKAGE + "Wait").future(b"", timeout=DEADLINE)
    eventually(lambda: way.backend.remaining, "the call in the backend's hands")
    call.cancel()
    assert way.backend.gone.wait(DEADLINE)
    line = way.gateway.wait_access_log()[0]
    assert line["grpc_status"] == "1" and line["error"].startswith("client_"), line


# --- TLS -----------------------------------------------------------------------------------------
@pytest.fixture(params=["tls-to-tls", "tls-to-cleartext", "cleartext-to-tls"])
def secure_way(request, peers, certificates):
    front, _, behind = request.param.partition("-to-")
    options = {"backend": peers.add(GrpcBackend(certificates.server)),
               "service": {"protocol": "auto", **certificates.service()}} if behind == "tls" else {}
    if front == "tls":
        options.update(ca=certificates.authority.pem, listener=certificates.listener())
    return Way(peers, **options)


def test_calls_of_all_kinds_pass_over_tls(secure_way):
    client = secure_way.client
    assert client.call("Unary", b"x" * 1_000_000)[0] == b"x" * 1_000_000
    assert client.upload("Upload", [b"a", b"b"]) == b"ab"
    assert list(client.download("Download", b"3,5")) == [bytes([n]) * 5 for n in range(3)]
    questions = queue.Queue()
    answers = client.chat("Chat", iter(questions.get, None))
    for number in range(3):
        questions.put(b"%d" % number)
        assert next(answers) == b"%d" % number
    questions.put(None)
    assert list(answers) == []
    error = client.error("Fail", metadata=[("fail-code", "9"), ("fail-text-bin", b"no")])
    assert (error.code(), error.details()) == (Code.FAILED_PRECONDITION, "no")


def test_a_grpc_backend_that_is_not_believed_is_unavailable(peers, certificates):
    way = Way(peers, peers.add(GrpcBackend(certificates.stranger.issue("127.0.0.1"))),
              service=certificates.service())
    error = way.client.error("Unary")
    assert error.code() == Code.UNAVAILABLE and code_in(error.details()) == "backend_tls_failed"


# --- metadata ------------------------------------------------------------------------------------
def test_metadata_goes_both_ways(way):
    said = (("x-text", "a value"), ("x-twice", "1"), ("x-twice", "2"),
            ("x-bytes-bin", bytes(range(256))), ("x-trailing-bin", b"\0\xfe\xff"),
            ("x-trailing-text", "b"))
    _, call = way.client.call("Metadata", metadata=said)
    initial, trailing = call.initial_metadata(), call.trailing_metadata()
    assert [p for p in initial if p[0].startswith("x-t")] == list(said[:3])
    assert dict(initial)["x-bytes-bin"] == bytes(range(256))
    assert {p for p in trailing if p[0].startswith("x-")} == set(said[4:])


def test_the_backend_is_told_that_trailers_can_be_passed_on(peers):
    backend = peers.origin()
    client = peers.client(peers.gateway(config.proxy(backend)))
    for content_type, te in (("application/grpc", "trailers"), ("application/json", None)):
        client.request(raw.request("/", f"Content-Type: {content_type}", "TE: trailers, deflate",
                                   "Connection: TE", method="POST", body=b""))
        request = backend.requests[-1]
        assert request.get("te") == te, request.headers


# --- statuses of the backend ---------------------------------------------------------------------
@pytest.mark.parametrize("after", [None, 3], ids=["in the head", "behind messages"])
def test_an_error_of_the_backend_reaches_the_client(way, after):
    metadata = [("fail-code", "9"), ("fail-text-bin", "nicht möglich: 50%".encode())]
    metadata += [("fail-after", str(after))] if after else []
    call = way.client.download("Fail", metadata=metadata)
    got = []
    with pytest.raises(grpc.RpcError):
        for message in call:
            got.append(message)
    assert got == [b"%d" % n for n in range(after or 0)]
    assert call.code() == Code.FAILED_PRECONDITION and call.details() == "nicht möglich: 50%"
    assert ("x-why-bin", b"\0\xff") in call.trailing_metadata()
    assert "content-length" not in dict(call.trailing_metadata())
    line = way.gateway.wait_access_log()[0]
    assert line["grpc_status"] == "9" and line["status"] == 200 and "error" not in line


def test_a_method_that_the_backend_lacks_is_unimplemented(way):
    error = way.client.error("Nothing")
    assert error.code() == Code.UNIMPLEMENTED and "(no_route)" not in error.details()


# --- statuses of Doorward's own ------------------------------------------------------------------
def test_a_backend_that_is_down_is_unavailable(peers):
    backend = peers.backend(silent)
    backend.stop_listening()
    way = Way(peers, backend)
    error = way.client.error("Unary")
    assert error.code() == Code.UNAVAILABLE and code_in(error.details()) == "connect_failed"
    assert len(error.details()) > 30, "nothing for people in it"
    line = way.gateway.wait_access_log()[0]
    assert (line["status"], line["grpc_status"], line["error"]) == (200, "14", "connect_failed")


def test_no_route_is_unimplemented(peers):
    way = Way(peers, route={"match": {"path": "/other.Service/**"}})
    error = way.client.error("Unary")
    assert error.code() == Code.UNIMPLEMENTED
    assert error.details() == "No route matches this request. (no_route)"


def test_routes_choose_by_service_and_method(peers):
    backend = peers.add(GrpcBackend())
    settings = config.proxy(backend, service={"protocol": "http2"})
    settings["routes"] = [
        {"name": "method", "match": {"path": PACKAGE + "Upload", "method": "POST"},
         "respond": {"status": 503, "body": "closed today"}},
        {"name": "service", "match": {"path": PACKAGE + "**"}, "service": "app"}]
    gateway = peers.gateway(settings)
    client = peers.add(Client(gateway.address()))
    assert client.call("Unary", b"x")[0] == b"x"
    error = client.error("Upload")
    assert error.code() == Code.UNAVAILABLE and error.details() == "Answered with HTTP status 503."
    assert client.error("Unary", package="/doorward.test.Other/").code() == Code.UNIMPLEMENTED
    lines = gateway.wait_access_log(3)
    assert [line.get("route") for line in lines] == ["service", "method", None]


@pytest.mark.parametrize("listener,policies,code,problem", [
    ({}, [{"ip_filter": {"deny": ["127.0.0.0/8"]}}], Code.PERMISSION_DENIED, "ip_denied"),
    ({}, [{"size_limit": {"max": "1KiB"}}], Code.RESOURCE_EXHAUSTED, "body_too_large"),
    ({"limits": {"body_size": "1KiB"}}, [], Code.RESOURCE_EXHAUSTED, "body_too_large"),
])
def test_a_refusal_is_a_status_with_its_code(peers, listener, policies, code, problem):
    way = Way(peers, listener=listener, policies=policies)
    error = way.client.error("Unary", b"x" * 5000)
    assert error.code() == code and code_in(error.details()) == problem, error


def test_a_reply_is_a_head_with_the_clients_own_type(peers):
    way = Way(peers, policies=[{"ip_filter": {"deny": ["127.0.0.0/8"]}}])
    head, body = way.post("Unary")
    assert head["status"] == "200" and head["content-type"] == "application/grpc" and body == b""
    assert head["grpc-status"] == "7" and code_in(head["grpc-message"]) == "ip_denied"
    assert head["x-request-id"] == way.gateway.wait_access_log()[0]["request_id"]
    assert "content-length" not in head
    head, _ = way.post("Unary", kind="application/grpc+json")
    assert head["content-type"] == "application/grpc+json"


def test_other_requests_get_problems_as_ever(peers):
    way = Way(peers, policies=[{"ip_filter": {"deny": ["127.0.0.0/8"]}}])
    answer = peers.client(way.gateway).get("/", "Content-Type: application/json")
    raw.assert_problem(answer, 403, "ip_denied")
    assert "grpc_status" not in way.gateway.wait_access_log()[0]


# --- deadlines -----------------------------------------------------------------------------------
def test_the_backend_gets_what_is_left_of_the_clients_time(way):
    way.client.call("Unary", timeout=15)
    way.client.call("Unary", timeout=None)
    left, never = way.backend.remaining
    assert 0 < left < 15 and (never is None or never > 1e9)


def test_a_header_is_passed_on_reduced(peers):
    backend = peers.origin()
    client = peers.client(peers.gateway(config.proxy(backend)))
    for said, least, most in (("10S", 5e6, 10e6), ("2H", 7190e6, 7200e6)):
        client.request(raw.request("/", "Content-Type: application/grpc", f"grpc-timeout: {said}",
                                   method="POST", body=b""))
        text = backend.requests[-1].get("grpc-timeout")
        units = {"u": 1, "m": 1e3, "S": 1e6, "M": 60e6, "H": 3600e6}
        assert len(text) <= 9 and least < int(text[:-1]) * units[text[-1]] <= most, text
    client.request(raw.request("/", "Content-Type: application/grpc", "grpc-timeout: 99999999H",
                               method="POST", body=b""))
    assert backend.requests[-1].get("grpc-timeout") == "99999999H"


@pytest.mark.parametrize("timeout", ["300m", "300000u", "0n"])
def test_the_clients_deadline_is_kept(peers, timeout):
    way = Way(peers, peers.backend(silent))
    head, _ = way.post("Unary", f"grpc-timeout: {timeout}")
    assert head["grpc-status"] == "4" and code_in(head["grpc-message"]) == "grpc_deadline_exceeded"
    line = way.gateway.wait_access_log()[0]
    assert line["error"] == "grpc_deadline_exceeded" and line["total_us"] < 5e6, line


@pytest.mark.parametrize("timeouts,code", [({"total": "300ms"}, "total_timeout"),
                                           ({"first_byte": "300ms"}, "first_byte_timeout")])
def test_a_services_deadline_is_kept(peers, timeouts, code):
    way = Way(peers, service={"timeouts": timeouts})
    error = way.client.error("Wait", timeout=None)  # else the backend might be first to say so
    assert error.code() == Code.DEADLINE_EXCEEDED and code_in(error.details()) == code
    assert "300ms" in error.details()
    way.backend.release.set()


def test_the_earlier_deadline_counts(peers):
    way = Way(peers, peers.backend(silent), service={"timeouts": {"total": "300ms"}})
    head, _ = way.post("Unary", "grpc-timeout: 1H")
    assert head["grpc-status"] == "4" and code_in(head["grpc-message"]) == "total_timeout"


@pytest.mark.parametrize("timeout", ["10", "S", "1s", "123456789S", "-1S"])
def test_a_timeout_that_cannot_be_read_is_refused(way, timeout):
    head, _ = way.post("Unary", f"grpc-timeout: {timeout}")
    assert head["grpc-status"] == "13" and code_in(head["grpc-message"]) == "grpc_timeout_invalid"
    assert not way.backend.calls


def test_other_requests_may_have_a_header_of_that_name(web):
    assert web.client().get("/", "grpc-timeout: soon").status == 200


def test_a_stream_that_takes_too_long_ends_with_a_status(peers):
    """The head is out already: the status comes behind the messages."""
    way = Way(peers, service={"timeouts": {"total": "1s"}})
    questions = queue.Queue()
    answers = way.client.chat("Chat", iter(questions.get, None), timeout=None)
    questions.put(b"one")
    assert next(answers) == b"one"
    with pytest.raises(grpc.RpcError):
        next(answers)
    assert answers.code() == Code.DEADLINE_EXCEEDED
    assert code_in(answers.details()) == "total_timeout"
    questions.put(None)
    line = way.gateway.wait_access_log()[0]
    assert line["grpc_status"] == "4" and line["error"] == "total_timeout", line


def test_a_backend_that_breaks_off_ends_the_stream_with_a_status(way):
    questions = queue.Queue()
    answers = way.client.chat("Chat", iter(questions.get, None))
    questions.put(b"one")
    assert next(answers) == b"one"
    stopped = threading.Thread(target=lambda: way.backend.server.stop(0).wait(DEADLINE))
    stopped.start()
    with pytest.raises(grpc.RpcError):
        next(answers)
    assert answers.code() in (Code.UNAVAILABLE, Code.CANCELLED), answers
    assert answers.details(), answers
    questions.put(None)
    stopped.join(DEADLINE)


# --- log and metrics -----------------------------------------------------------------------------
def test_statuses_are_counted_by_route(way):
    for _ in range(3):
        way.client.call("Unary")
    way.client.error("Nothing")
    way.client.error("Unary", metadata=[("x", "y" * 100_000)])  # a head over the limit
    peer = raw.Raw(way.gateway.address())
    peer.get("/")
    peer.close()
    way.gateway.wait_access_log(5)
    metrics, name = way.gateway.metrics(), "doorward_route_grpc_responses_total"
    assert metrics.sum(name, route="all", grpc_status="0") == 3
    assert metrics.sum(name, route="all", grpc_status="12") == 1
    assert metrics.sum(name) == 4, "none for what never had a route, none for HTTP"
    assert {line.get("grpc_status") for line in way.gateway.access_log()} <= {"0", "12", "8", None}
