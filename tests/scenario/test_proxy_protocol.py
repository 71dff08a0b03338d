"""The PROXY protocol: believed of trusted peers, told to backends."""
import pytest

from harness import config, raw, tls
from harness.http2 import Http2Client
from harness.origin import Told
from harness.proxy_protocol import (ALPN, AUTHORITY, SIGNATURE, Header, local, over_tls, tlv, v1,
                                    v2)
from harness.raw import Raw, request
from harness.waiting import eventually

TRUSTED = {"proxy_protocol": {"trusted": ["127.0.0.1/32"]}}


@pytest.fixture(scope="module")
def behind(module_peers):
    return module_peers.gateway(config.proxy(module_peers.origin(), listener=TRUSTED))


def told(gateway, header, *lines):
    with Raw(gateway.address(), first=header) as client:
        return Told(client.get("/", *lines))


# --- from proxies ------------------------------------------------------------------------------
@pytest.mark.parametrize("header,client", [
    (v1(), "203.0.113.7"), (v1("2001:db8::7", destination="2001:db8::1"), "2001:db8::7"),
    (v2(), "203.0.113.7"), (v2("2001:db8::7", destination="2001:db8::1"), "2001:db8::7"),
    (v2(tlvs=tlv(0xe0, b"own") + tlv(0x04, b"\0" * 300)), "203.0.113.7"),
    (b"PROXY UNKNOWN\r\n", "127.0.0.1"), (b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", "127.0.0.1"),
    (local(), "127.0.0.1"), (v2(command=0), "127.0.0.1")],
    ids=["v1-4", "v1-6", "v2-4", "v2-6", "v2-tlvs", "v1-unknown", "v1-unknown-with-addresses",
         "v2-local", "v2-local-with-addresses"])
def test_the_client_is_whom_the_header_names(behind, header, client):
    before = len(behind.access_log())
    assert told(behind, header).get("x-forwarded-for") == client
    line = behind.wait_access_log(before + 1)[-1]
    assert line["client_ip"] == client


@pytest.mark.parametrize("header", [v1(), v2(tlvs=tlv(0xe0, b"x"))], ids=["v1", "v2"])
def test_a_header_may_come_in_pieces(behind, header):
    with Raw(behind.address()) as client:
        client.send_split(header + request("/"))
        assert Told(client.recv_response()).get("x-forwarded-for") == "203.0.113.7"


def test_it_holds_for_the_whole_connection(behind):
    with Raw(behind.address(), first=v2()) as client:
        for _ in range(3):
            assert Told(client.get("/")).get("x-forwarded-for") == "203.0.113.7"


def test_a_client_that_came_over_tls_is_told_as_https(behind):
    assert told(behind, v2(tlvs=over_tls())).get("x-forwarded-proto") == "https"
    assert told(behind, v2()).get("x-forwarded-proto") == "http"


def test_what_a_balancer_tells_of_tls_is_the_connections(peers):
    """Variables, access log and the header to the backend have it; there is no certificate."""
    taught = Taught(peers)
    gateway = peers.gateway(config.proxy(
        taught.backend, listener=TRUSTED, service={"proxy_protocol": "v2"},
        policies=[{"headers": {"response": {"set": {
            "x-tls": "{tls.version} {tls.sni} <{tls.cipher}> <{tls.client.subject}>"}}}}]))
    first = v2(tlvs=over_tls() + tlv(AUTHORITY, b"Shop.Example") + tlv(ALPN, b"http/1.1"))
    got = peers.client(gateway, first=first).get("/")
    assert got.get("x-tls") == "TLSv1.3 shop.example <> <>"
    line = gateway.wait_access_log(1)[-1]
    assert (line["tls_version"], line["tls_sni"]) == ("TLSv1.3", "shop.example")
    header, = taught.headers
    assert header.tls_version() == "TLSv1.3"
    assert header.tlvs[AUTHORITY] == b"shop.example" and header.tlvs[ALPN] == b"http/1.1"


def test_the_named_client_is_not_the_proxy_that_is_trusted(peers):
    """X-Forwarded-For is judged by whom the header names, not by who sent it."""
    gateway = peers.gateway(config.proxy(peers.origin(), listener={
        **TRUSTED, "trusted_proxies": ["127.0.0.0/8"]}))
    forged = "X-Forwarded-For: 6.6.6.6"
    assert told(gateway, v1(), forged).get("x-forwarded-for") == "203.0.113.7"
    assert told(gateway, v1("127.0.0.9"), forged).get("x-forwarded-for") == "6.6.6.6, 127.0.0.9"


def test_policies_see_the_named_client(peers):
    gateway = peers.gateway(config.proxy(peers.origin(), listener=TRUSTED, policies=[
        {"ip_filter": {"allow": ["203.0.113.0/24"]}}]))
    for source, status in (("203.0.113.7", 200), ("198.51.100.9", 403)):
        with Raw(gateway.address(), first=v2(source)) as client:
            assert client.get("/").status == status


def test_limits_count_the_named_client(peers):
    gateway = peers.gateway(config.proxy(peers.origin(), listener={
        **TRUSTED, "limits": {"connections_per_ip": 1}}))
    first = peers.client(gateway, first=v1("203.0.113.1"))
    assert first.get("/").status == 200
    assert peers.client(gateway, first=v1("203.0.113.2")).get("/").status == 200
    client = peers.client(gateway, first=v1("203.0.113.1"))
    try:
        assert client.recv_response().status == 503
    except ConnectionResetError:
        pass
    first.close()
    eventually(lambda: peers.client(gateway, first=v1("203.0.113.1")).get("/").status in (200,),
               "room for another connection")


@pytest.mark.parametrize("header", [v1(), v2()], ids=["v1", "v2"])
@pytest.mark.parametrize("alpn", ["http/1.1", "h2"])
def test_tls_comes_behind_the_header(peers, certificates, header, alpn):
    gateway = peers.gateway(config.proxy(peers.origin(), listener={
        **TRUSTED, **certificates.listener()}))
    kind = Http2Client if alpn == "h2" else Raw
    client = peers.client(gateway, kind, tls=tls.client_context(certificates.ca, [alpn]),
                          first=header)
    got = Told(client.get("/"))
    assert (got.get("x-forwarded-for"), got.get("x-forwarded-proto")) == ("203.0.113.7", "https")


def test_http2_in_cleartext_comes_behind_the_header(behind):
    with Http2Client(behind.address(), first=v2()) as client:
        assert Told(client.get("/")).get("x-forwarded-for") == "203.0.113.7"


def refused(gateway):
    return gateway.metrics().sum("doorward_connections_refused_total", reason="proxy_protocol")


def assert_refused(gateway, data):
    before = refused(gateway)
    with Raw(gateway.address(), first=data) as client:
        assert client.at_end()
    eventually(lambda: refused(gateway) == before + 1, "the count")


def test_strangers_are_refused(peers):
    origin = peers.origin()
    gateway = peers.gateway(config.proxy(origin, listener={
        "proxy_protocol": {"trusted": ["10.0.0.0/8"]}}))
    assert_refused(gateway, v1() + request("/"))
    event = gateway.wait_event("proxy_header_refused")
    assert event["peer"] == "127.0.0.1" and "trusted" in event["reason"]
    assert not origin.requests


@pytest.mark.parametrize("data", [
    request("/"), b"PROXY TCP4 1.2.3.4\r\n", b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2 3\r\n",
    b"PROXY TCP4 1.2.3 5.6.7.8 1 2\r\n", b"PROXY TCP4 1.2.3.4 5.6.7.8 1 99999\r\n",
    b"PROXY TCP4 ::1 ::2 1 2\r\n", b"PROXY TCP9 1.2.3.4 5.6.7.8 1 2\r\n",
    b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n" + request("/", "X: " + "x" * 100),
    b"PROXY " + b"x" * 200, b"proxy TCP4 1.2.3.4 5.6.7.8 1 2",
    SIGNATURE + b"\x11\x11\0\x0c" + b"\0" * 12, SIGNATURE + b"\x2f\x11\0\x0c" + b"\0" * 12,
    SIGNATURE + b"\x21\x11\0\x04" + b"\0" * 4, SIGNATURE + b"\x21\x11\xff\xff" + b"\0" * 50,
    SIGNATURE[:-1] + b"X\x21\x11\0\x0c", b"\x16\x03\x01\0\x05hello"],
    ids=["none", "v1-short", "v1-long", "v1-address", "v1-port", "v1-mixed", "v1-family", "v1-lf",
         "v1-endless", "v1-case", "v2-version", "v2-command", "v2-short", "v2-too-large",
         "v2-signature", "tls"])
def test_what_is_no_header_ends_the_connection(behind, data):
    """A trusted peer's connection must begin with one: else a client could write it."""
    assert_refused(behind, data)


def test_a_second_header_is_no_request(behind):
    with Raw(behind.address(), first=v1() + v1("6.6.6.6") + request("/")) as client:
        assert client.recv_response().status == 400


def test_a_header_has_its_time(peers):
    gateway = peers.gateway(config.proxy(peers.origin(), listener={
        **TRUSTED, "timeouts": {"header": "100ms"}}))
    for begun in (b"", v2()[:20]):
        with Raw(gateway.address(), first=begun) as client:
            assert client.at_end()


def test_without_the_setting_a_header_is_a_bad_request(web):
    with Raw(web.address, first=v1()) as client:
        assert client.get("/").status == 400


# --- to backends -------------------------------------------------------------------------------
class Taught:
    """A backend that reads a header first and keeps it."""

    def __init__(self, peers, secure=None):
        self.headers, self.secure = [], secure
        self.backend = peers.backend(self._script)

    def _script(self, connection):
        self.headers.append(Header(connection.sock))
        if self.secure:
            connection.sock = self.secure.wrap_socket(connection.sock, server_side=True)
            connection.stream.sock = connection.sock
        while connection.recv_request():
            connection.send(raw.response(200, body=b"ok"))


@pytest.mark.parametrize("version", [1, 2])
def test_a_backend_is_told_who_the_client_is(peers, version):
    taught = Taught(peers)
    gateway = peers.gateway(config.proxy(taught.backend,
                                         service={"proxy_protocol": f"v{version}"}))
    client = peers.client(gateway)
    assert client.get("/").body == b"ok"
    header, = taught.headers
    assert (header.version, header.family) == (version, "TCP4")
    assert header.source == client.sock.getsockname()
    assert header.destination == client.sock.getpeername()
    assert header.tls_version() is None


@pytest.mark.parametrize("version", [1, 2])
def test_a_connection_carries_one_client_only(peers, version):
    taught = Taught(peers)
    gateway = peers.gateway(config.proxy(taught.backend,
                                         service={"proxy_protocol": f"v{version}"}))
    clients = [peers.client(gateway) for _ in range(2)]
    for _ in range(2):
        for client in clients:
            assert client.get("/").body == b"ok"
    sources = [header.source for header in taught.headers]
    assert set(sources) == {client.sock.getsockname() for client in clients}
    assert all(len(connection.requests) == 1 or sources.count(sources[n]) == 1
               for n, connection in enumerate(taught.backend.connections))


def test_version_2_tells_of_the_clients_tls(peers, certificates):
    taught = Taught(peers)
    gateway = peers.gateway(config.proxy(taught.backend, listener=certificates.listener(),
                                         service={"proxy_protocol": "v2"}))
    client = peers.client(gateway, tls=tls.client_context(alpn=["http/1.1"]), sni="example.com")
    assert client.get("/").body == b"ok"
    header, = taught.headers
    assert header.tls_version() == "TLSv1.3"
    assert header.tlvs[AUTHORITY] == b"example.com" and header.tlvs[ALPN] == b"http/1.1"


@pytest.mark.parametrize("version", [1, 2])
def test_the_header_comes_before_tls(peers, certificates, version):
    taught = Taught(peers, secure=tls.server_context(certificates.server))
    url = taught.backend.url.replace("http:", "https:")
    gateway = peers.gateway(config.proxy(url, service={
        "proxy_protocol": f"v{version}", **certificates.service()}))
    client = peers.client(gateway)
    assert client.get("/").body == b"ok"
    assert taught.headers[0].source == client.sock.getsockname()


@pytest.mark.parametrize("header", [v1(), v2("2001:db8::7", destination="2001:db8::1")],
                         ids=["ipv4", "ipv6"])
def test_a_chain_of_proxies_passes_the_client_on(peers, header):
    taught = Taught(peers)
    gateway = peers.gateway(config.proxy(taught.backend, listener=TRUSTED,
                                         service={"proxy_protocol": "v2"}))
    assert peers.client(gateway, first=header).get("/").body == b"ok"
    told_of = taught.headers[0]
    assert told_of.source in (("203.0.113.7", 4711), ("2001:db8::7", 4711))
    assert told_of.destination in (("198.51.100.1", 443), ("2001:db8::1", 443))


def test_clients_of_unix_sockets_are_unknown(peers):
    taught = Taught(peers)
    gateway = peers.gateway(config.proxy(taught.backend, service={"proxy_protocol": "v1"},
                                         listener={"address": f"unix:{peers.folder}/web.sock"}))
    assert peers.client(gateway).get("/").body == b"ok"
    assert taught.headers[0].family == "UNKNOWN"


def test_doorward_believes_what_doorward_writes(peers, certificates):
    """Two in a row, over TLS with HTTP/2: the second knows the client of the first."""
    inner = peers.gateway(config.proxy(peers.origin(), listener={
        **TRUSTED, **certificates.listener()}))
    outer = peers.gateway(config.proxy(f"https://{inner.address()}", listener=TRUSTED, service={
        "proxy_protocol": "v2", **certificates.service()}))
    got = told(outer, v1())
    assert got.get("x-forwarded-for") == "203.0.113.7, 203.0.113.7" or \
        got.get("x-forwarded-for") == "203.0.113.7"
