"""One-shot commands: check, explain, schema, version, docs, and run without a config."""
import json
import os
import re
import subprocess

import pytest

from harness import binary, config, gateway as gateways
from harness.origin import Told
from harness.raw import Raw
from harness.waiting import eventually

CONFIG = """version: 1
listeners: [{name: web, address: "127.0.0.1:0"}]
services:
  orders: {endpoints: ["http://127.0.0.1:9001"]}
  rest: {endpoints: ["http://127.0.0.1:9002"]}
policies:
  tag: {headers: {request: {set: {x-tag: "1"}}}}
routes:
  - name: orders
    match: {host: api.example.com, path: "/orders/{id}", method: [GET]}
    policies: [tag, {rewrite: {add_prefix: /v2}}, {size_limit: {max: 1MiB}}]
    service: orders
  - name: orders-beta
    match: {host: api.example.com, path: "/orders/{id}", method: [GET], header: {x-beta: "1"}}
    service: rest
  - name: old
    match: {path: /old}
    redirect: {to: "https://new.example.com{request.path}", status: 308}
"""


@pytest.fixture
def explain(doorward, tmp_path):
    path = tmp_path / "doorward.yaml"
    path.write_text(CONFIG)

    def run(*arguments):
        return doorward("explain", "-c", path, *arguments)
    return run


def test_explain_tells_route_policies_and_backend(explain):
    done = explain("GET http://api.example.com/orders/7", "-H", "x: y")
    assert done.returncode == 0, done
    text = done.stdout
    assert re.search(r"\borders\b", text) and "127.0.0.1:9001" in text and "/v2/orders/7" in text
    assert text.index("headers") < text.index("rewrite") < text.index("size_limit")


def test_explain_tells_what_was_near_and_why_not(explain):
    text = explain("GET http://api.example.com/orders/7").stdout
    assert "orders-beta" in text and "x-beta" in text


def test_explain_takes_headers_into_account(explain):
    text = explain("GET http://api.example.com/orders/7", "-H", "X-Beta: 1").stdout
    assert "127.0.0.1:9002" in text


def test_explain_in_json(explain):
    done = explain("GET http://api.example.com/orders/7", "--json")
    told = json.loads(done.stdout)
    assert told["route"] == "orders" or told["route"]["name"] == "orders"
    assert "127.0.0.1:9001" in done.stdout and "orders-beta" in done.stdout


def test_explain_without_a_host_says_what_that_means(explain):
    done = explain("GET /orders/7")
    assert done.returncode == 0 and "host_missing" in done.stdout
    assert "host_missing" in json.loads(explain("GET /orders/7", "--json").stdout)["note"]
    assert "host_missing" not in explain("GET http://any.test/orders/7").stdout


def test_explain_of_a_redirect(explain):
    assert "https://new.example.com/old" in explain("GET http://any.test/old").stdout


def test_explain_runs_the_policies_without_asking_a_service(doorward, tmp_path):
    path = tmp_path / "doorward.yaml"
    path.write_text("""version: 1
listeners: [{name: web, address: "127.0.0.1:0"}]
services: {auth: {endpoints: ["http://127.0.0.1:9009"]}, a: {endpoints: ["http://127.0.0.1:9001"]}}
routes:
  - name: a
    match: {path: /**}
    policies:
      - external_auth: {service: auth, path: /check}
      - ip_filter: {deny: ["192.0.2.0/24"]}
      - rewrite: {path: "/v2{request.path}"}
    service: a
""")
    passed = doorward("explain", "-c", path, "GET http://a.test/x?y=1").stdout
    assert "asks service auth" in passed and "http://127.0.0.1:9001/v2/x?y=1" in passed
    denied = doorward("explain", "-c", path, "GET http://a.test/x", "--client", "192.0.2.7")
    assert "answers 403 ip_denied" in denied.stdout and "9001" not in denied.stdout
    told = json.loads(doorward("explain", "--json", "-c", path, "GET http://a.test/x",
                               "--client", "192.0.2.7").stdout)
    assert [p.get("answers") for p in told["policies"]] == [None, "403 ip_denied", None]
    wrong = doorward("explain", "-c", path, "GET http://a.test/x", "--client", "here")
    assert wrong.returncode != 0 and "--client here" in wrong.stderr


PARTNERS = """version: 1
listeners: [{name: web, address: "127.0.0.1:0"}]
routes:
  - name: partner
    match: {tls: {client_name: "DNS:*.partner.example"}}
    policies: [client_certificate: {subject: "CN=app-*"}]
    respond:
      status: 200
      body: "<{tls.sni}|{tls.client.subject}|{tls.client.names}|{tls.client.fingerprint}>"
  - name: by-name
    match: {tls: {sni: special.example}}
    redirect: {to: "https://{tls.sni}/"}
  - name: rest
    respond: {status: 204}
"""


def test_explain_takes_what_tls_knows_of_the_client(doorward, tmp_path):
    path = tmp_path / "doorward.yaml"
    path.write_text(PARTNERS)

    def explained(*arguments):
        done = doorward("explain", "--json", "-c", path, "GET http://a.test/", *arguments)
        assert done.returncode == 0, done
        return json.loads(done.stdout)
    assert explained()["route"] == "rest"
    assert explained("--tls-sni", "Special.Example")["route"] == "by-name"
    shown = ["--client-name", "DNS:a.partner.example", "--client-name", "URI:x"]
    denied = explained(*shown, "--client-subject", "CN=db")
    assert denied["route"] == "partner"
    assert denied["policies"][0]["answers"] == "403 client_certificate_denied"
    passed = explained(*shown, "--client-subject", "CN=app-1", "--client-fingerprint", "AB" * 32)
    assert "answers" not in passed["policies"][0]
    wrong = doorward("explain", "-c", path, "GET http://a.test/", "--client-fingerprint", "abc")
    assert wrong.returncode != 0 and "64 hex digits" in wrong.stderr


def test_explain_fills_templates_with_what_tls_knows_of_the_client(doorward, tmp_path):
    path = tmp_path / "doorward.yaml"
    path.write_text("""version: 1
listeners: [{name: web, address: "127.0.0.1:0"}]
services: {a: {endpoints: ["http://127.0.0.1:9001"]}}
routes:
  - name: a
    policies:
      - rewrite: {path: "/{tls.client.subject}/{tls.client.names}/{tls.client.fingerprint}"}
    service: a
""")
    done = doorward("explain", "-c", path, "GET http://a.test/", "--client-subject", "CN=app",
                    "--client-name", "DNS:a.test", "--client-name", "DNS:b.test",
                    "--client-fingerprint", "AB" * 32)
    assert f"/CN%3Dapp/DNS%3Aa.test%2C%20DNS%3Ab.test/{'ab' * 32}" in done.stdout


def test_explain_of_what_matches_nothing(explain):
    done = explain("GET http://any.test/none")
    assert "no_route" in done.stdout or "no route" in done.stdout.lower()
    done = explain("POST http://api.example.com/orders/7")
    assert "405" in done.stdout or "method" in done.stdout.lower()


def test_explain_normalises_and_refuses_like_the_gateway(explain):
    assert "127.0.0.1:9001" in explain("GET http://api.example.com//x/../orders/7").stdout
    refused = explain("GET http://api.example.com/orders/..%2f7")
    assert "path_encoded_slash" in refused.stdout + refused.stderr


@pytest.mark.parametrize("request_text", ["GET", "http:/nothing", "GET ftp://a/b", ""])
def test_explain_refuses_nonsense_in_one_sentence(explain, request_text):
    done = explain(request_text)
    assert done.returncode != 0 and done.stderr.strip()


@pytest.mark.parametrize("target,code", [
    ("http://a.test/\x01", "control_byte"), ("http://a.test/\x7f", "control_byte"),
    ("http://a.test/\t", "bad_request_line"), ("http://a.test/a b", "bad_request_line"),
    ("http://a.test/x\\y", "bad_target"), ("http://a.test/<x>", "bad_target"),
    ("http://a.test/\u00e9", "target_not_ascii"), ("http://a.test/#x", "target_fragment"),
    ("http://a..test/", "bad_host"), ("http://a.test:0/", "bad_host"),
    ("ftp://a.test/", "target_scheme"), ("http://u@a.test/", "target_userinfo"), ("nothing", "target_form"),
    ("http://a.test/%zz", "path_percent_invalid"), ("http://a.test/../x", "path_above_root"),
])
def test_explain_refuses_with_the_code_that_the_gateway_sends(explain, web, target, code):
    done = explain(f"GET {target}")
    assert done.returncode == 2 and f"({code})" in done.stderr
    with web.client() as client:
        client.send(f"GET {target} HTTP/1.1\r\nHost: a.test\r\n\r\n".encode())
        assert json.loads(client.recv_response().body)["code"] == code


def test_schema_is_a_json_schema_that_knows_every_section(doorward):
    done = doorward("schema")
    schema = json.loads(done.stdout)
    assert done.returncode == 0 and "$schema" in schema
    for key in ("version", "listeners", "admin", "services", "routes", "policies", "access_log"):
        assert key in schema["properties"], key
    for policy in ("headers", "request_id", "rewrite", "ip_filter", "size_limit", "compress",
                   "external_auth", "mock"):
        assert f'"{policy}"' in done.stdout, policy


def test_version(doorward):
    done = doorward("version")
    assert done.returncode == 0 and re.search(r"doorward .*\d+\.\d+\.\d+", done.stdout, re.I)


@pytest.mark.parametrize("path", ["absent/x.log", "."])
def test_an_access_log_that_cannot_be_opened_is_the_systems_fault(doorward, peers, tmp_path, path):
    log = str(tmp_path / path)
    settings = config.respond()
    settings["access_log"] = {"path": log}
    gateways.write_config(tmp_path / "a.yaml", {"version": 1, **settings})
    done = doorward("check", "-c", tmp_path / "a.yaml")
    assert done.returncode == 0 and "warning: access_log.path: cannot write to" in done.stderr
    gateway = peers.gateway(settings, ready=False)
    gateway.expected_status = 1
    assert gateway.process.wait(20) == 1
    told = gateway.events("start_failed")[0]["error"]
    assert told.startswith(f"access_log.path: cannot write to {log}")
    assert ("make it, or name another path" in told) or ("name a file in it" in told)
    assert not (tmp_path / "absent").exists()


def test_help_names_every_command(doorward):
    text = doorward("--help").stdout
    for command in ("run", "check", "explain", "schema", "version", "reload"):
        assert re.search(rf"\b{command}\b", text), command


def test_an_unknown_command_is_named_with_the_nearest(doorward):
    done = doorward("rnu")
    assert done.returncode == 2 and '"rnu"' in done.stderr and '"run"' in done.stderr
    done = doorward("bogus")
    assert done.returncode == 2 and '"bogus"' in done.stderr and "explain" in done.stderr


def test_docs_are_written(doorward, tmp_path):
    assert doorward("docs", tmp_path / "reference").returncode == 0
    written = "\n".join(p.read_text() for p in (tmp_path / "reference").rglob("*.md"))
    for word in ("header_bytes", "external_auth", "size_limit", "no_route",
                 "doorward_requests_total"):
        assert word in written, word


def test_reload_signals_nothing_but_a_gateway(doorward, tmp_path):
    with subprocess.Popen(["sleep", "60"]) as other:
        try:
            done = doorward("reload", str(other.pid))
            assert done.returncode == 2 and "sleep" in done.stderr and str(other.pid) in done.stderr
            (tmp_path / "pid").write_text(f"{other.pid}\n")
            assert doorward("reload", tmp_path / "pid").returncode == 2
            assert other.poll() is None
        finally:
            other.kill()
    done = doorward("reload", str(other.pid))
    assert done.returncode == 1 and "No such process" in done.stderr


def test_reload_signals_a_gateway(doorward, peers):
    gateway = peers.gateway(config.respond())
    assert doorward("reload", str(gateway.pid)).returncode == 0
    assert gateway.wait_event("reloaded")["why"] == "SIGHUP"


def test_run_with_only_a_url_proxies_everything(peers, loop):
    """On :8080, which may be taken on a machine that runs tests: then it says so."""
    origin = peers.origin()
    events = peers.folder / "events.log"
    with open(events, "wb") as stderr:
        process = subprocess.Popen([binary.path(), "run", origin.url, "--workers", "1", "--loop",
                                    loop], stdout=subprocess.DEVNULL, stderr=stderr,
                                   env=binary.environment(), cwd=peers.folder)
    try:
        eventually(lambda: '"ready"' in events.read_text() or process.poll() is not None, "a start")
        if process.poll() is not None:
            assert process.returncode == 1 and ("8080" in events.read_text() or
                                                "9901" in events.read_text())
            pytest.skip("the default ports are taken")
        with Raw("127.0.0.1:8080") as client:
            assert Told(client.get("/a/b?c")).target == "/a/b?c"
    finally:
        process.terminate()
        assert process.wait(20) in (0, 1)


def without_a_usual_configuration():
    if os.path.exists("/etc/doorward/doorward.yaml"):
        pytest.skip("this machine has a configuration of its own")


@pytest.mark.parametrize("command", [["check"], ["run"], ["explain", "GET http://any.test/old"]])
def test_without_a_configuration_it_tells_where_it_looked(doorward, tmp_path, command):
    without_a_usual_configuration()
    done = doorward(*command, cwd=tmp_path)
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "neither ./doorward.yaml nor /etc/doorward/doorward.yaml exists" in done.stderr
    assert "-c FILE" in done.stderr
    assert ("http://HOST:PORT" in done.stderr) == (command == ["run"])


def test_the_configuration_of_the_folder_is_found(doorward, tmp_path):
    (tmp_path / "doorward.yaml").write_text(CONFIG)
    done = doorward("check", cwd=tmp_path)
    assert done.returncode == 0 and done.stdout.startswith("doorward.yaml: 3 routes")
    done = doorward("explain", "GET http://api.example.com/orders/7", "-H", "x: y", cwd=tmp_path)
    assert done.returncode == 0 and "127.0.0.1:9001" in done.stdout


def test_the_configuration_of_the_machine_is_found_when_the_folder_has_none(doorward, tmp_path):
    """/etc is another one in a mount namespace of its own."""
    (tmp_path / "doorward.yaml").write_text(CONFIG)
    make = ("mount -t tmpfs none /etc && mkdir /etc/doorward && "
            f"cp {tmp_path}/doorward.yaml /etc/doorward/ && exec \"$@\"")
    prefix = ["unshare", "-m", "sh", "-c", make, "sh"]
    if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode:
        pytest.skip("needs root and mount namespaces")
    done = doorward("check", cwd="/", prefix=prefix)
    assert done.returncode == 0, done
    assert done.stdout.startswith("/etc/doorward/doorward.yaml: 3 routes")
    done = doorward("check", cwd=tmp_path, prefix=prefix)
    assert done.stdout.startswith("doorward.yaml: 3 routes")


def test_run_takes_the_configuration_of_the_folder(peers, loop):
    settings = config.respond("found", admin={"address": "127.0.0.1:0"})
    gateways.write_config(peers.folder / "doorward.yaml", settings)
    events = peers.folder / "events.log"
    with open(events, "wb") as stderr:
        process = subprocess.Popen([binary.path(), "run", "--workers", "1", "--loop", loop],
                                   stdout=subprocess.DEVNULL, stderr=stderr,
                                   env=binary.environment(), cwd=peers.folder)
    try:
        eventually(lambda: '"ready"' in events.read_text() or process.poll() is not None, "a start")
        told = {e["event"]: e for e in map(json.loads, events.read_text().splitlines())}
        assert told["ready"]["config"] == "doorward.yaml"
        with Raw(told["listening"]["address"]) as client:
            assert client.get("/").body == b"found"
    finally:
        process.terminate()
        assert process.wait(20) == 0


def test_run_takes_a_configuration_or_a_url_but_not_both(doorward, tmp_path):
    done = doorward("run", "-c", tmp_path / "a.yaml", "http://127.0.0.1:1")
    assert done.returncode == 2 and "not both" in done.stderr


def test_run_refuses_a_bad_url(doorward):
    done = doorward("run", "http://")
    assert done.returncode == 2 and done.stderr.strip()


def test_run_with_an_address_without_scheme_tells_the_url(doorward):
    done = doorward("run", "127.0.0.1:3000")
    assert done.returncode == 2 and "http://127.0.0.1:3000" in done.stderr


def test_check_warns_of_routes_that_can_never_match(doorward, tmp_path):
    settings = config.proxy("http://127.0.0.1:1")
    settings["routes"].append({"name": "shadowed", "service": "app"})
    gateways.write_config(tmp_path / "a.yaml", settings)
    done = doorward("check", "-c", tmp_path / "a.yaml")
    assert done.returncode == 0 and "shadowed" in done.stdout + done.stderr


def test_check_warns_of_a_method_that_looks_like_a_typo(doorward, tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text(CONFIG.replace("method: [GET]", "method: [GET, GTE, PROPFIND, PURGE]", 1))
    done = doorward("check", "-c", path)
    assert done.returncode == 0 and done.stderr.count("warning") == 1
    assert "a.yaml:10:" in done.stderr
    assert 'unknown method "GTE"; did you mean "GET"?' in done.stderr
