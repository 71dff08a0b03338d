"""OCSP responses that are stapled, from a file and from the responder that the certificate names,
as openssl sees them; what is of no use to a client is not sent."""
import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from harness import config, raw
from harness.certificates import DAY, Authority
from harness.clients import s_client
from harness.waiting import eventually


@pytest.fixture(scope="module")
def issuer(certificates):
    """Its leaves' files hold it too."""
    return Authority(certificates.folder, "Issuing CA", certificates.authority)


def stapled(gateway, certificates):
    """What openssl says of the staple: "good", "revoked", …; None where there is none."""
    said = s_client(gateway.address(), "-status", "-CAfile", certificates.ca)
    assert "Verify return code: 0 (ok)" in said, said
    if "OCSP response: no response sent" in said:
        return None
    assert "OCSP Response Status: successful" in said, said
    return said.partition("Cert Status: ")[2].split("\n")[0]


# --- from a file ---------------------------------------------------------------------------------
class Site:
    """A gateway whose certificate has an OCSP file."""

    def __init__(self, peers, issuer, response):
        self.leaf, self.file = issuer.issue("localhost"), peers.folder / "site.ocsp"
        self.file.write_bytes(response(self.leaf))
        settings = config.respond()
        settings["listeners"][0]["tls"] = {"certificates": [
            {**self.leaf.setting(), "ocsp": str(self.file)}]}
        self.gateway = peers.gateway(settings)


def test_a_response_of_a_file_is_stapled(peers, certificates, issuer):
    site = Site(peers, issuer, issuer.ocsp_response)
    assert stapled(site.gateway, certificates) == "good"
    assert not site.gateway.events("config_warning")


FAULTS = {
    "stale": lambda issuer, leaf: issuer.ocsp_response(leaf, begin=-9 * DAY, end=-DAY),
    "not-yet": lambda issuer, leaf: issuer.ocsp_response(leaf, begin=DAY, end=2 * DAY),
    "revoked": lambda issuer, leaf: issuer.ocsp_response(leaf, "revoked"),
    "unknown": lambda issuer, leaf: issuer.ocsp_response(leaf, "unknown"),
    "of-another": lambda issuer, _: issuer.ocsp_response(issuer.issue("localhost")),
    "by-a-stranger": lambda issuer, leaf: Authority(
        issuer.folder, issuer.name).ocsp_response(leaf),
    "garbage": lambda *_: b"\x30\x03\x0a\x01",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_response_that_helps_nobody_is_not_sent(peers, certificates, issuer, fault):
    site = Site(peers, issuer, lambda leaf: FAULTS[fault](issuer, leaf))
    assert stapled(site.gateway, certificates) is None
    warning, = site.gateway.events("config_warning")
    assert "site.ocsp" in str(warning) and "not sent" in str(warning)


def test_a_renewed_file_is_used_without_a_signal(peers, certificates, issuer):
    site = Site(peers, issuer, lambda leaf: FAULTS["stale"](issuer, leaf))
    assert stapled(site.gateway, certificates) is None
    fresh = site.file.with_suffix(".new")
    fresh.write_bytes(issuer.ocsp_response(site.leaf))
    fresh.rename(site.file)
    eventually(lambda: stapled(site.gateway, certificates) == "good", "the new response")


# --- from the responder --------------------------------------------------------------------------
class Fetching:
    """A gateway that staples what a responder says: `answer(leaf)`, a whole response as bytes."""

    def __init__(self, peers, issuer, answer):
        self.responder = peers.backend(lambda connection: (
            connection.recv_request() and connection.send(answer(self.leaf))))
        self.leaf = issuer.issue("localhost", responder=f"{self.responder.url}/ocsp?of=site")
        self.settings = config.respond()
        self.settings["listeners"][0]["tls"] = {"certificates": [self.leaf.setting()],
                                                "ocsp_stapling": True}
        self.gateway = peers.gateway(self.settings)


def said(der):
    return raw.response(200, "Content-Type: application/ocsp-response", body=der)


def test_a_response_is_fetched_and_kept(peers, certificates, issuer):
    site = Fetching(peers, issuer, lambda leaf: said(issuer.ocsp_response(leaf)))
    event = site.gateway.wait_event("ocsp_fetched")
    assert event["certificate"] == str(site.leaf.certificate) and event["until"]
    assert stapled(site.gateway, certificates) == "good"
    asked, = site.responder.requests
    assert (asked.method, asked.target) == ("POST", "/ocsp?of=site")
    assert asked.get("content-type") == "application/ocsp-request"
    assert asked.get("host") == site.responder.url.removeprefix("http://")
    question = ocsp.load_der_ocsp_request(asked.body)
    assert question.serial_number == site.leaf.content.serial_number
    site.responder.stop_listening()
    site.settings["routes"][0]["name"] = "another"
    site.gateway.reload(site.settings)
    assert stapled(site.gateway, certificates) == "good"
    assert len(site.responder.requests) == 1


FAILURES = {
    **{name: lambda issuer, leaf, make=make: said(make(issuer, leaf))
       for name, make in FAULTS.items()},
    "status-500": lambda *_: raw.response(500, body=b"out of order"),
    "closes": lambda *_: b"",
    "no-http": lambda *_: b"SSH-2.0-OpenSSH_9.2\r\n",
    "cut-off": lambda issuer, leaf: said(issuer.ocsp_response(leaf))[:-10],
    "try-later": lambda *_: said(ocsp.OCSPResponseBuilder.build_unsuccessful(
        ocsp.OCSPResponseStatus.TRY_LATER).public_bytes(Encoding.DER)),
    "too-large": lambda *_: said(bytes(200_000)),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_a_responder_that_fails_is_told_and_clients_do_not_suffer(peers, certificates, issuer,
                                                                   failure):
    site = Fetching(peers, issuer, lambda leaf: FAILURES[failure](issuer, leaf))
    event = site.gateway.wait_event("ocsp_failed")
    assert event["certificate"] == str(site.leaf.certificate)
    assert event["error"] and event["retry_s"] > 0
    assert stapled(site.gateway, certificates) is None


def test_a_responder_that_is_away_or_silent_keeps_nobody_waiting(peers, certificates, issuer):
    site = Fetching(peers, issuer, lambda _: b"")
    away = site.responder
    away.stop_listening()
    silent = peers.backend(lambda connection: connection.at_end())
    leaf = issuer.issue("localhost", responder=silent.url)
    site.settings["listeners"][0]["tls"]["certificates"] = [leaf.setting()]
    site.gateway.reload(site.settings)
    silent.wait_connections()
    assert stapled(site.gateway, certificates) is None


def test_a_certificate_without_a_responder_is_warned_of(peers, certificates):
    settings = config.respond()
    settings["listeners"][0].update(certificates.listener(ocsp_stapling=True))
    gateway = peers.gateway(settings)
    assert "OCSP" in str(gateway.events("config_warning"))
    assert stapled(gateway, certificates) is None
