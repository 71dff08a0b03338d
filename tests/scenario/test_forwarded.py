"""X-Forwarded-* and Forwarded (RFC 7239), and whom they are believed of."""
import pytest

from harness import config
from harness.origin import Told

FORGED = ("X-Forwarded-For: 6.6.6.6", "X-Forwarded-Proto: https", "X-Forwarded-Host: evil.test",
          "Forwarded: for=6.6.6.6;proto=https;host=evil.test")


def told(peers, *headers, host="shop.example.com", policies=None, **listener):
    gateway = peers.gateway(config.proxy(peers.origin(), listener=listener, policies=policies))
    return Told(peers.client(gateway).get("/", *headers, host=host))


def test_the_client_its_protocol_and_its_host_are_told(peers):
    got = told(peers)
    assert got.get("x-forwarded-for") == "127.0.0.1"
    assert got.get("x-forwarded-proto") == "http"
    assert got.get("x-forwarded-host") == "shop.example.com"
    assert not got.all("forwarded")


def test_strangers_are_not_believed(peers):
    got = told(peers, *FORGED)
    assert got.get("x-forwarded-for") == "127.0.0.1"
    assert got.get("x-forwarded-proto") == "http"
    assert got.get("x-forwarded-host") == "shop.example.com"
    assert "6.6.6.6" not in str(got.headers) and "evil" not in str(got.headers)


def test_trusted_proxies_are_believed(peers):
    got = told(peers, "X-Forwarded-For: 203.0.113.7", "X-Forwarded-Proto: https",
               "X-Forwarded-Host: public.example.com", trusted_proxies=["127.0.0.0/8"])
    assert got.get("x-forwarded-for") == "203.0.113.7, 127.0.0.1"
    assert got.get("x-forwarded-proto") == "https"
    assert got.get("x-forwarded-host") == "public.example.com"


@pytest.mark.parametrize("chain,client", [
    ("203.0.113.7", "203.0.113.7"),
    ("6.6.6.6, 203.0.113.7", "203.0.113.7"),          # the last hop that is not trusted
    ("203.0.113.7, 10.0.0.9, 10.1.2.3", "203.0.113.7"),  # trusted hops are walked over
    ("6.6.6.6, 203.0.113.7, 10.1.2.3", "203.0.113.7"),
    ("10.0.0.1, 10.1.2.3", "10.0.0.1"),               # all trusted: the first
    ("2001:db8::1", "2001:db8::1"),
    ("junk, 203.0.113.7", "203.0.113.7"),
    ("203.0.113.7, junk", "127.0.0.1"),               # nothing before junk is believed
    ("", "127.0.0.1"),
])
def test_the_client_is_the_last_untrusted_hop(peers, chain, client):
    policy = [{"headers": {"request": {"set": {"x-client": "{client.ip}"}}}}]
    got = told(peers, f"X-Forwarded-For: {chain}", policies=policy,
               trusted_proxies=["127.0.0.0/8", "10.0.0.0/8"])
    assert got.get("x-client") == client


@pytest.mark.parametrize("forwarded", ["x_forwarded", "rfc7239", "both", "off"])
def test_the_form_that_a_trusted_proxy_did_not_write_is_dropped(peers, forwarded):
    """It may have passed on what a client wrote."""
    policy = [{"headers": {"request": {"set": {"x-client": "{client.ip}"}}}}]
    got = told(peers, "X-Forwarded-For: 203.0.113.7", "Forwarded: for=6.6.6.6;host=evil.test",
               trusted_proxies=["127.0.0.1"], forwarded=forwarded, policies=policy)
    assert got.get("x-client") == "203.0.113.7"
    assert "6.6.6.6" not in str(got.headers) and "evil" not in str(got.headers)


def test_both_forms_continue_what_a_trusted_proxy_said(peers):
    got = told(peers, "X-Forwarded-For: 203.0.113.7", "X-Forwarded-Proto: https",
               "X-Forwarded-Host: public.example.com", trusted_proxies=["127.0.0.1"],
               forwarded="both")
    assert got.get("x-forwarded-for") == "203.0.113.7, 127.0.0.1"
    assert got.get("forwarded") == (
        'for=203.0.113.7;host="public.example.com";proto=https, '
        'for=127.0.0.1;host="shop.example.com";proto=http')


def on_unix_socket(peers, *headers, **listener):
    """What the backend and the access log are told of a client of a unix listener."""
    gateway = peers.gateway(config.proxy(peers.origin(), listener={
        "address": f"unix:{peers.folder}/web.sock", "forwarded": "both", **listener}))
    got = Told(peers.client(f"unix:{peers.folder}/web.sock").get("/", *headers))
    return got, gateway.wait_access_log()[0]["client_ip"]


def test_a_client_on_a_unix_socket_has_no_address(peers):
    got, logged = on_unix_socket(peers, *FORGED)
    assert not got.all("x-forwarded-for") and logged == "unix"
    assert got.get("forwarded") == 'for=unknown;host="example.com";proto=http'


def test_a_proxy_on_a_unix_socket_can_be_trusted(peers):
    got, logged = on_unix_socket(peers, "X-Forwarded-For: 203.0.113.7",
                                 trusted_proxies=["unix"])
    assert got.get("x-forwarded-for") == "203.0.113.7" and logged == "203.0.113.7"
    assert got.get("forwarded").startswith("for=203.0.113.7;")
    assert ", for=unknown;" in got.get("forwarded")


def test_several_fields_are_one_list(peers):
    policy = [{"headers": {"request": {"set": {"x-client": "{client.ip}"}}}}]
    got = told(peers, "X-Forwarded-For: 6.6.6.6", "X-Forwarded-For: 203.0.113.7", policies=policy,
               trusted_proxies=["127.0.0.1"])
    assert got.get("x-client") == "203.0.113.7"


def test_rfc7239_alone(peers):
    got = told(peers, forwarded="rfc7239")
    text = got.get("forwarded").lower()
    assert "for=127.0.0.1" in text and "proto=http" in text
    assert 'host=shop.example.com' in text or 'host="shop.example.com"' in text
    assert not got.all("x-forwarded-for")


def test_rfc7239_forged_by_strangers_is_dropped(peers):
    got = told(peers, *FORGED, forwarded="rfc7239")
    assert "6.6.6.6" not in str(got.headers) and "evil" not in str(got.headers)


def test_rfc7239_of_trusted_proxies_is_believed(peers):
    policy = [{"headers": {"request": {"set": {"x-client": "{client.ip}"}}}}]
    got = told(peers, 'Forwarded: for="[2001:db8::1]:4711";proto=https, for=10.0.0.9',
               forwarded="rfc7239", policies=policy, trusted_proxies=["127.0.0.1", "10.0.0.0/8"])
    assert got.get("x-client") == "2001:db8::1"
    assert got.get("forwarded").startswith('for="[2001:db8::1]:4711"')


def test_both_forms(peers):
    got = told(peers, forwarded="both")
    assert got.get("x-forwarded-for") == "127.0.0.1" and "for=127.0.0.1" in got.get("forwarded")


def test_off_sends_nothing_and_passes_nothing_of_strangers(peers):
    got = told(peers, *FORGED, forwarded="off")
    assert "6.6.6.6" not in str(got.headers) and not got.all("x-forwarded-proto")


def test_an_ipv6_client_is_written_rightly(peers):
    got = told(peers, forwarded="both", address="[::1]:0")
    assert got.get("x-forwarded-for") == "::1"
    assert 'for="[::1]"' in got.get("forwarded")


def test_absolute_form_names_the_host(peers):
    gateway = peers.gateway(config.proxy(peers.origin()))
    got = Told(peers.client(gateway).get("http://real.example.com/", host="real.example.com"))
    assert got.get("x-forwarded-host") == "real.example.com"


def test_an_ipv4_client_of_a_dual_stack_listener_is_written_as_ipv4(peers):
    gateway = peers.gateway(config.proxy(
        peers.origin(), listener={"address": "[::]:0", "forwarded": "both"},
        policies=[{"ip_filter": {"allow": ["127.0.0.0/8"]}}]))
    port = gateway.address().rpartition(":")[2]
    got = Told(peers.client(f"127.0.0.1:{port}").get("/"))
    assert got.get("x-forwarded-for") == "127.0.0.1"
    assert "for=127.0.0.1;" in got.get("forwarded")
    assert gateway.wait_access_log()[0]["client_ip"] == "127.0.0.1"


@pytest.mark.parametrize("written", ["::ffff:203.0.113.7", "[::ffff:203.0.113.7]:4711",
                                     "::ffff:cb00:7107"])
def test_a_mapped_address_told_by_a_trusted_proxy_is_the_ipv4_address(peers, written):
    policy = [{"ip_filter": {"deny": ["198.51.100.0/24"]}},
              {"headers": {"request": {"set": {"x-client": "{client.ip}"}}}}]
    got = told(peers, f"X-Forwarded-For: {written}", policies=policy,
               trusted_proxies=["127.0.0.0/8"])
    assert got.get("x-client") == "203.0.113.7"


def test_a_loopback_ipv6_address_told_by_a_trusted_proxy_is_believed(peers):
    policy = [{"headers": {"request": {"set": {"x-client": "{client.ip}"}}}}]
    got = told(peers, "X-Forwarded-For: ::1", policies=policy, trusted_proxies=["127.0.0.0/8"])
    assert got.get("x-client") == "::1"
