"""Certificates change while the gateway runs: by their files, by the configuration, behind a
symbolic link; what is open lives on. Draining and upgrades over TLS."""
import datetime
import json
import shutil
import threading

import pytest

from harness import config, raw
from harness.certificates import DAY
from harness.http2 import Http2Client
from harness.raw import Raw, request
from harness.tls import client_context
from harness.waiting import DEADLINE, eventually, stays


class Site:
    """A gateway whose certificate lies in files of its own."""

    def __init__(self, peers, certificates):
        self.peers, self.certificates = peers, certificates
        self.folder = peers.new_folder("site")
        self.certificate, self.key = self.folder / "site.crt", self.folder / "site.key"
        self.put(certificates.server)
        self.settings = config.respond("x")
        self.settings["listeners"][0]["tls"] = {"certificates": [
            {"certificate": str(self.certificate), "key": str(self.key)}]}
        self.gateway = peers.gateway(self.settings, workers=2)

    def put(self, certificate):
        """Replaces both files, each of them at once."""
        for source, target in ((certificate.key, self.key),
                               (certificate.certificate, self.certificate)):
            fresh = target.with_name(f".{target.name}.new")
            shutil.copy(source, fresh)
            fresh.rename(target)

    def shown(self, **options):
        with Raw(self.gateway.address(), tls=client_context(), **options) as client:
            return client.sock.getpeercert(True)

    def client(self):
        return self.peers.client(self.gateway, tls=client_context())

    def wait_shown(self, certificate):
        for _ in range(4):  # on whatever core
            eventually(lambda: self.shown() == certificate.der, "the new certificate")


@pytest.fixture
def site(peers, certificates):
    return Site(peers, certificates)


@pytest.fixture(scope="module")
def fresh(certificates):
    return certificates.authority.issue("localhost", "127.0.0.1", common_name="fresh")


def test_a_replaced_file_is_noticed_and_connections_live_on(site, fresh):
    client = site.client()
    assert client.get("/").body == b"x"
    site.put(fresh)
    site.wait_shown(fresh)
    assert client.get("/").body == b"x"
    assert client.sock.getpeercert(True) == site.certificates.server.der


def test_a_signal_reads_the_files_again(site, fresh):
    site.put(fresh)
    site.gateway.reload()
    assert all(site.shown() == fresh.der for _ in range(4))


def test_a_symbolic_link_that_turns_is_noticed(peers, certificates, fresh):
    """As Kubernetes mounts secrets: a folder's name is a link that is replaced."""
    root = peers.new_folder("secret")
    for name, one in (("v1", certificates.server), ("v2", fresh)):
        (root / name).mkdir()
        shutil.copy(one.certificate, root / name / "tls.crt")
        shutil.copy(one.key, root / name / "tls.key")
    (root / "..data").symlink_to("v1")
    for file in ("tls.crt", "tls.key"):
        (root / file).symlink_to(f"..data/{file}")
    settings = config.respond("x")
    settings["listeners"][0]["tls"] = {"certificates": [
        {"certificate": f"{root}/tls.crt", "key": f"{root}/tls.key"}]}
    gateway = peers.gateway(settings)
    (root / "..data_new").symlink_to("v2")
    (root / "..data_new").rename(root / "..data")

    def shown():
        with Raw(gateway.address(), tls=client_context()) as client:
            return client.sock.getpeercert(True)
    eventually(lambda: shown() == fresh.der, "the new certificate")


def test_the_metric_of_expiry_follows_the_certificates(site, fresh):
    """Of each listener the earliest end; zero once there is none."""
    def expires(*certificates):
        wanted = min((one.content.not_valid_after.replace(tzinfo=datetime.timezone.utc).timestamp()
                      for one in certificates), default=0)
        eventually(lambda: site.gateway.metrics().sum(
            "doorward_tls_certificate_expiry_timestamp_seconds", listener="web") == wanted,
            "the time of expiry")
    expires(site.certificates.server)
    sooner = site.certificates.authority.issue("localhost", "127.0.0.1", end=3 * DAY)
    site.put(sooner)
    expires(sooner)
    site.put(fresh)
    expires(fresh)
    site.settings["listeners"][0]["tls"]["certificates"].append(sooner.setting())
    site.gateway.reload(site.settings)
    expires(fresh, sooner)
    del site.settings["listeners"][0]["tls"]
    site.gateway.reload(site.settings)
    expires()


def test_a_folder_of_certificates_grows_and_shrinks(peers, certificates, fresh):
    folder = peers.new_folder("folder")
    shutil.copy(certificates.server.both, folder / "a.pem")
    settings = config.respond("x")
    settings["listeners"][0]["tls"] = {"certificates": [{"folder": str(folder)}]}
    gateway = peers.gateway(settings)
    shop = certificates.authority.issue("shop.example.com")

    def shown():
        with Raw(gateway.address(), tls=client_context(), sni="shop.example.com") as client:
            return client.sock.getpeercert(True)
    assert shown() == certificates.server.der
    shutil.copy(shop.certificate, folder / "shop.crt")
    shutil.copy(shop.key, folder / "shop.key")
    gateway.reload()
    assert shown() == shop.der
    (folder / "shop.crt").unlink()
    (folder / "shop.key").unlink()
    gateway.reload()
    assert shown() == certificates.server.der


@pytest.mark.parametrize("fault", ["garbage", "missing", "wrong-key", "empty"])
def test_a_broken_new_certificate_leaves_the_old_one_and_says_which(site, fresh, fault):
    if fault == "garbage":
        site.certificate.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n")
    elif fault == "missing":
        site.certificate.unlink()
    elif fault == "empty":
        site.certificate.write_text("")
    else:
        shutil.copy(fresh.key, site.key)
    event = site.gateway.reload(expect="reload_failed")
    told = json.dumps(event)
    assert "site.crt" in told or "site.key" in told
    assert all(site.shown() == site.certificates.server.der for _ in range(4))
    site.put(fresh)
    site.gateway.reload()
    assert site.shown() == fresh.der


def test_tls_may_be_switched_on_for_a_listener(peers, certificates):
    settings = config.respond("x")
    gateway = peers.gateway(settings)
    client = peers.client(gateway)
    assert client.get("/").body == b"x"
    secured = config.respond("y")
    secured["listeners"][0].update(certificates.listener())
    gateway.reload(secured)
    with Raw(gateway.address(), tls=client_context()) as other:
        assert other.get("/").body == b"y"


def test_changes_under_load_lose_no_request(site, fresh):
    failures, stop, done = [], threading.Event(), [0]

    def load():
        try:
            while not stop.is_set():
                with Raw(site.gateway.address(), tls=client_context()) as client:
                    for _ in range(5):
                        assert client.get("/").body == b"x"
                        done[0] += 1
        except Exception as error:  # pylint: disable=broad-except
            failures.append(error)
    threads = [threading.Thread(target=load) for _ in range(2)]
    for thread in threads:
        thread.start()
    for certificate in (fresh, site.certificates.server) * 3:
        before = done[0]
        site.put(certificate)
        site.gateway.reload()
        eventually(lambda before=before: done[0] > before + 20 or failures, "some load")
    stop.set()
    for thread in threads:
        thread.join(DEADLINE)
    assert not failures, failures


@pytest.mark.parametrize("http2", [False, True], ids=["http1", "http2"])
def test_a_drain_over_tls_finishes_what_is_under_way(peers, certificates, http2):
    go_on = threading.Event()

    def script(connection):
        while connection.recv_request():
            go_on.wait(DEADLINE)
            connection.send(raw.response(200, body=b"late"))
    backend = peers.backend(script)
    gateway = peers.gateway(config.proxy(backend, listener=certificates.listener()))
    context = client_context(alpn=["h2" if http2 else "http/1.1"])
    client = peers.client(gateway, Http2Client if http2 else Raw, tls=context)
    stream = client.request("/") if http2 else client.send(request("/"))
    backend.wait_requests()
    gateway.signal(15)
    gateway.wait_event("draining")
    stays(gateway.alive, 0.1, "the gateway")
    go_on.set()
    answer = client.answer(stream) if http2 else client.recv_response()
    assert answer.body == b"late"
    assert client.at_end()
    client.close()
    assert gateway.process.wait(DEADLINE) == 0


def test_an_upgrade_keeps_serving_over_tls(site):
    assert site.client().get("/").body == b"x"
    old = site.gateway.upgrade()
    assert site.gateway.wait_exit(old) == 0
    client = site.client()
    assert client.get("/").body == b"x"
    assert client.sock.getpeercert(True) == site.certificates.server.der
