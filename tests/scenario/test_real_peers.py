"""Programs of other people: curl, http.client and wrk in front, nginx behind."""
import http.client
import os

import pytest

from harness import config
from harness.clients import Load, curl

CONTENT = os.urandom(3_000_000)


@pytest.fixture(scope="module")
def site(module_peers):
    nginx = module_peers.nginx({"big.bin": CONTENT, "page.html": b"<h1>hello</h1>"})
    gateway = module_peers.gateway(config.proxy(nginx))
    return gateway, f"http://{gateway.address()}"


@pytest.mark.parametrize("version", ["--http1.0", "--http1.1"])
def test_curl_gets_files_of_nginx(site, version):
    done = curl(version, f"{site[1]}/big.bin")
    assert done.returncode == 0 and done.stdout == CONTENT, done.stderr


def test_curl_gets_ranges(site):
    done = curl("-i", "-r", "100-199", f"{site[1]}/big.bin")
    assert b" 206 " in done.stdout and done.stdout.endswith(CONTENT[100:200])


def test_curl_gets_headers_only(site):
    assert f"Content-Length: {len(CONTENT)}".encode() in curl("-I", f"{site[1]}/big.bin").stdout


def test_conditional_requests_pass(site):
    head = curl("-I", f"{site[1]}/page.html").stdout.decode()
    etag = next(line.split(": ", 1)[1] for line in head.splitlines() if line.startswith("ETag"))
    done = curl("-i", "-H", f"If-None-Match: {etag}", f"{site[1]}/page.html")
    assert b" 304 " in done.stdout


def test_curl_reuses_its_connection(site):
    done = curl("-v", f"{site[1]}/small", f"{site[1]}/small", f"{site[1]}/small")
    assert done.stderr.count(b"Re-using existing connection") == 2, done.stderr


def test_nginx_sees_the_clients_host(site):
    assert curl("-H", "Host: shop.example.com", f"{site[1]}/host").stdout == b"shop.example.com\n"


def test_nginx_404_and_405_pass_untouched(site):
    assert b"nginx" in curl(f"{site[1]}/absent").stdout
    assert curl("-X", "DELETE", "-o", "/dev/null", "-w", "%{http_code}",
                f"{site[1]}/page.html").stdout == b"405"


def test_http_client_keeps_its_connection(site):
    connection = http.client.HTTPConnection(site[0].address(), timeout=20)
    for _ in range(20):
        connection.request("GET", "/small")
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b"hello from nginx\n")
    connection.close()


def test_http_client_sends_chunks(web):
    connection = http.client.HTTPConnection(web.address, timeout=20)
    connection.request("POST", "/", body=iter([b"one", b"two"]), encode_chunked=True)
    assert b'"body": "onetwo"' in connection.getresponse().read()
    connection.close()


def test_curl_sends_forms_and_trailers(web, tmp_path):
    done = curl("-F", "a=b", "-F", "file=@/etc/hostname", f"{web.url}/form")
    assert b"multipart/form-data" in done.stdout
    done = curl("-d", "a=b", f"{web.url}/form")
    assert b'"body": "a=b"' in done.stdout


@pytest.mark.parametrize("connections", [1, 64, 512])
def test_wrk_sees_no_error(site, tmp_path, connections):
    with Load(f"{site[1]}/small", tmp_path, seconds=2, connections=connections) as load:
        pass
    load.assert_clean()


def test_wrk_on_large_answers_sees_no_error(site, tmp_path):
    with Load(f"{site[1]}/big.bin", tmp_path, seconds=2, connections=8) as load:
        pass
    load.assert_clean()


def test_nginx_in_front_of_doorward(module_peers, web):
    """An old-fashioned chain: HTTP/1.0 with Connection: close, as nginx speaks by default."""
    front = module_peers.nginx(rest=f"proxy_pass {web.url};")
    for _ in range(3):
        done = curl(f"{front.url}/through")
        assert b'"target": "/through"' in done.stdout, done
    assert curl("-T", "/etc/passwd", f"{front.url}/put").returncode == 0
