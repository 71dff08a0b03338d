"""Programs of other people that speak HTTP/2 and TLS: nghttp, h2load, curl and openssl in front,
nghttpd and nginx behind."""
import os
import threading

import pytest

from harness import config, tls
from harness.clients import Load, curl, h2load, nghttp
from harness.http2_backend import saying
from harness.nghttpd import Nghttpd
from harness.raw import Raw
from harness.waiting import DEADLINE

CONTENT = os.urandom(3_000_000)


@pytest.fixture(scope="module")
def site(module_peers, certificates):
    """(cleartext, secure): addresses of a gateway in front of nginx."""
    nginx = module_peers.nginx({"big.bin": CONTENT})
    settings = config.proxy(nginx)
    settings["listeners"].append({"name": "secure", "address": "127.0.0.1:0",
                                  **certificates.listener(certificates.server, certificates.rsa)})
    gateway = module_peers.gateway(settings, workers=2)
    return f"http://{gateway.address()}", f"https://{gateway.addresses()['secure']}"


def test_h2load_sees_no_error(site):
    for url in site:
        found = h2load(f"{url}/small", 1000, 4, 25)
        assert found["succeeded"] == found["2xx"] == 1000
    found = h2load(f"{site[0]}/big.bin", 20, 2, 10)
    assert found["succeeded"] == found["2xx"] == 20


@pytest.mark.parametrize("secure", [False, True], ids=["cleartext", "tls"])
def test_nghttp_multiplexes(site, secure):
    done = nghttp("-ns", "-m20", f"{site[secure]}/small")
    assert done.returncode == 0 and done.stdout.count(b" 200 ") == 20, done
    assert nghttp(f"{site[secure]}/big.bin").stdout == CONTENT


def test_nghttp_with_a_small_window_and_padding(site):
    done = nghttp("-w10", "-W10", "-b30", f"{site[0]}/big.bin")
    assert done.stdout == CONTENT


def test_curl_fetches_several_files_on_one_connection(site, certificates):
    done = curl("--http2", "--cacert", certificates.ca, "-Z", *[f"{site[1]}/big.bin"] * 3)
    assert done.returncode == 0 and len(done.stdout) == 3 * len(CONTENT)


def test_curl_sends_files(web, tmp_path):
    (tmp_path / "up").write_bytes(CONTENT)
    done = curl("--http2-prior-knowledge", "-T", tmp_path / "up", f"{web.url}/up")
    assert f'"body_length": {len(CONTENT)}'.encode() in done.stdout, done.stderr


@pytest.mark.parametrize("secure", [False, True], ids=["cleartext", "tls"])
def test_nghttpd_serves_files(peers, certificates, secure):
    content = bytes(range(256)) * 8000
    backend = peers.add(Nghttpd(peers.new_folder("nghttpd"), {"a.bin": content},
                                certificates.server if secure else None))
    service = certificates.service() if secure else {"protocol": "http2"}
    gateway = peers.gateway(config.proxy(backend, service=service), workers=2)
    assert peers.client(gateway).get("/a.bin").body == content
    with Load(f"http://{gateway.address()}/a.bin", peers.folder, seconds=1) as load:
        pass
    load.assert_clean()


@pytest.mark.parametrize("protocol", ["http1", "http2", "auto"])
def test_nginx_serves_files_over_tls(peers, certificates, protocol):
    backend = peers.nginx({"big.bin": CONTENT}, certificate=certificates.server)
    gateway = peers.gateway(config.proxy(backend, service={"protocol": protocol,
                                                           **certificates.service()}))
    client = peers.client(gateway)
    assert client.get("/big.bin").body == CONTENT
    assert client.get("/host", host="shop.example.com").body == b"shop.example.com\n"
    with Load(f"http://{gateway.address()}/small", peers.folder, seconds=1) as load:
        pass
    load.assert_clean()


def test_many_clients_share_few_connections_over_tls(peers, certificates):
    context = tls.server_context(certificates.server, alpn=["h2"])
    backend = peers.http2_backend(saying(200, body=b"x"), tls=context)
    gateway = peers.gateway(config.proxy(backend, service=certificates.service()), workers=2)
    failures = []

    def one():
        with Raw(gateway.address()) as client:
            for _ in range(10):
                if client.get("/").body != b"x":
                    failures.append(1)
    threads = [threading.Thread(target=one) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)
    assert not failures and len(backend.streams) == 200 and len(backend.connections) <= 4
