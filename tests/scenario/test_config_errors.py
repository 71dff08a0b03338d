"""A bad configuration: exit status 2, every mistake at once, each with file:line:column and the
nearest right name. § in a text marks where a mistake must be reported."""
import re

import pytest

from harness import config, gateway as gateways
from harness.waiting import DEADLINE

HEAD = """version: 1
listeners:
  - {name: web, address: "127.0.0.1:0"}
services:
  app: {endpoints: ["http://127.0.0.1:1"]}
"""
ROUTE = """routes:
  - name: all
    service: app
"""

# (name, text, words that the sentence must contain)
MISTAKES = [
    ("a redirect to no place", HEAD + "routes:\n  - {name: all, redirect: {to: §\"/m\u00fcnchen\"}}\n",
     ["place to go to", "%XX"]),
    ("a URL as a host", HEAD + "routes:\n  - {name: all, service: app, match: {host: "
     "§\"http://a.test/\"}}\n", ["no scheme and no path", "api.example.com"]),
    ("an address on all interfaces beside one of them", HEAD.replace(
        "listeners:\n", "listeners:\n  - {name: one, address: '127.0.0.1:7000'}\n"
        "  - {name: all, address: §':7000'}\n") + ROUTE,
     ["beside 127.0.0.1:7000", "listeners[0].address", "choose another port"]),
    ("unknown key", HEAD + "§rotes: []\n" + ROUTE, ["rotes", '"routes"']),
    ("unknown key inside", HEAD.replace("name: web", "§nmae: web") + ROUTE, ['"name"']),
    ("unknown key of a route", HEAD + ROUTE + "    §machs: {path: /a}\n", ['"match"']),
    ("unknown key of a limit", HEAD.replace('"}', '", limits: {§header_byte: 1KiB}}') + ROUTE,
     ['"header_bytes"']),
    ("unknown policy", HEAD + ROUTE + "    policies:\n      - §header: {}\n", ['"headers"']),
    ("unknown named policy", HEAD + "policies:\n  tag: {request_id: {}}\n" + ROUTE +
     "    policies: [§tga]\n", ["tga", '"tag"']),
    ("unknown service", HEAD + "routes:\n  - {name: all, service: §ap}\n", ["ap", '"app"']),
    ("unknown key of a policy",
     HEAD + ROUTE + "    policies:\n      - size_limit: {§maxx: 1KiB}\n", ['"max"']),
    ("unknown service of a policy", HEAD + ROUTE +
     "    policies:\n      - external_auth: {service: §apq}\n", ["apq", '"app"']),
    ("a window below HTTP/2's smallest", HEAD.replace(
        "{endpoints", "{http2: {stream_window: §1KiB}, endpoints") + ROUTE, ["16KiB"]),
    ("no time for the answer of a PING", HEAD.replace(
        "{endpoints", "{http2: {ping_timeout: §0s}, endpoints") + ROUTE, ["1ms"]),
    ("a number without a unit", HEAD.replace('"}', '", timeouts: {idle: §5}}') + ROUTE, ["5"]),
    ("a size with a wrong unit",
     HEAD.replace('"}', '", limits: {body_size: §5parsecs}}') + ROUTE, ["5parsecs"]),
    ("text for a number", HEAD.replace('"}', '", limits: {header_count: §many}}') + ROUTE,
     ["many"]),
    ("a negative size", HEAD.replace('"}', '", limits: {header_bytes: §-1KiB}}') + ROUTE,
     ["-1KiB"]),
    ("a bad address", HEAD.replace('"127.0.0.1:0"', '§"nowhere:port"') + ROUTE,
     ["nowhere:port"]),
    ("a port too large", HEAD.replace('"127.0.0.1:0"', '§"127.0.0.1:70000"') + ROUTE, ["70000"]),
    ("a bad endpoint", HEAD.replace('"http://127.0.0.1:1"', '§"ftp://127.0.0.1:1"') + ROUTE,
     ["ftp"]),
    ("a bad CIDR", HEAD.replace('"}', '", trusted_proxies: [§10.0.0.0/40]}') + ROUTE,
     ["10.0.0.0/40"]),
    ("a bad expression", HEAD + ROUTE + '    match: {path: {regex: §"/a(b"}}\n', ["/a(b"]),
    ("a bad template", HEAD + ROUTE +
     '    policies:\n      - headers: {request: {set: {x-a: §"{request.hots}"}}}\n',
     ["request.hots"]),
    ("an unknown balancer", HEAD.replace('1"]}', '1"], balance: §round_robbin}') + ROUTE,
     ["round_robin"]),
    ("an unknown mode", HEAD + ROUTE +
     "    policies:\n      - ip_filter: {deny: [10.0.0.1], mode: §shadwo}\n", ["shadow"]),
    ("a parameter that no path has", HEAD + """routes:
  - match: {path: "/orders/{id}"}
    redirect: §"/new/{route.param.q}"
""", ["{route.param.q}", "the only one is id"]),
    ("a parameter in a policy that no path has", HEAD + ROUTE +
     """    match: {path: ["/a/{order}", /b, {regex: "/(?P<page>x)"}]}
    policies:
      - headers: {request: {set: {x-a: "{route.param.page}", x-b: §"{route.param.ordre}"}}}
""", ["{route.param.ordre}", 'did you mean "order"']),
    ("a path without its slash", HEAD + ROUTE + "    match: {path: §orders}\n", ["/"]),
    ("a bad method", HEAD + ROUTE + "    match: {method: §\"G ET\"}\n", ["G ET"]),
    ("a map for a list", HEAD + "routes: §{name: all}\n", ["list"]),
    ("a list for a map", HEAD.replace("services:\n  app: {endpoints: [\"http://127.0.0.1:1\"]}",
                                      "services: §[a]") + ROUTE, ["map"]),
    ("a status out of range", HEAD + "routes:\n  - {name: all, respond: {status: §99}}\n", ["99"]),
    ("an unknown access log field",
     HEAD + "access_log: {path: stdout, fields: [§stauts]}\n" + ROUTE, ["stauts"]),
    ("an unknown version", HEAD.replace("version: 1", "version: §9") + ROUTE, ["9"]),
]

# Mistakes whose place may be that of the thing or of its key: only the line is asked for.
ON_LINE = [
    ("no version", "§" + HEAD.replace("version: 1\n", "") + ROUTE, ["version"]),
    ("a doubled name", HEAD + ROUTE + "  - §name: all\n    service: app\n", ["all"]),
    ("a doubled key", HEAD + ROUTE + "    §service: app\n", ["service"]),
    ("two things to do", HEAD + ROUTE + "    §respond: {status: 200}\n", ["respond"]),
    ("nothing to do", HEAD + "routes:\n  - §name: all\n", ["service", "redirect", "respond"]),
    ("no endpoints", HEAD.replace('["http://127.0.0.1:1"]', "§[]") + ROUTE, ["endpoint"]),
    ("bad YAML", HEAD + "routes:\n  - §{name: all\n", []),
    ("a tab", HEAD + "routes:\n§\t- {name: all}\n", []),
]


def place(marked):
    before = marked.split("§")[0]
    return before.count("\n") + 1, len(before.rsplit("\n", 1)[-1]) + 1


def check(doorward, folder, marked):
    path = folder / "doorward.yaml"
    path.write_text(marked.replace("§", ""))
    done = doorward("check", "-c", path)
    assert done.returncode == 2, done
    return done.stdout + done.stderr


@pytest.mark.parametrize("text,words", [pytest.param(*m[1:], id=m[0]) for m in MISTAKES])
def test_a_mistake_is_reported_at_its_place(doorward, tmp_path, text, words):
    output = check(doorward, tmp_path, text)
    line, column = place(text)
    assert f"doorward.yaml:{line}:{column}: " in output, output
    for word in words:
        assert word in output, output


@pytest.mark.parametrize("text,words", [pytest.param(*m[1:], id=m[0]) for m in ON_LINE])
def test_a_mistake_is_reported_on_its_line(doorward, tmp_path, text, words):
    output = check(doorward, tmp_path, text)
    assert re.search(rf"doorward\.yaml:{place(text)[0]}:\d+: ", output), output
    assert all(word in output for word in words), output


def test_all_mistakes_are_reported_at_once_in_order(doorward, tmp_path):
    text = HEAD.replace("name: web", "nmae: web") + "rotes: []\n" + ROUTE.replace("app", "ap")
    output = check(doorward, tmp_path, text)
    lines = [int(n) for n in re.findall(r"doorward\.yaml:(\d+):\d+: ", output)]
    assert len(lines) == 3 and lines == sorted(lines), output


def test_an_unknown_key_hides_no_other_mistake_and_is_told_once(doorward, tmp_path):
    output = check(doorward, tmp_path, HEAD.replace("listeners", "listners") + ROUTE +
                   '    match: {path: "/a/{b", hosst: x, client: [1.2.3.400]}\n')
    told = re.findall(r"doorward\.yaml:(\d+):\d+: error: ([\w\[\].]+)", output)
    assert told == [("2", "listners"), ("9", "routes[0].match.path"),
                    ("9", "routes[0].match.hosst"), ("9", "routes[0].match.client[0]")], output


def test_a_good_config_is_0(doorward, tmp_path):
    path = tmp_path / "doorward.yaml"
    path.write_text(HEAD + ROUTE)
    done = doorward("check", "-c", path)
    assert done.returncode == 0, done


def test_a_missing_file_is_named(doorward, tmp_path):
    done = doorward("check", "-c", tmp_path / "absent.yaml")
    assert done.returncode == 2 and "absent.yaml" in done.stderr + done.stdout


def test_an_empty_file_is_an_error(doorward, tmp_path):
    (tmp_path / "empty.yaml").write_text("")
    assert doorward("check", "-c", tmp_path / "empty.yaml").returncode == 2


def test_a_folder_is_one_config(doorward, tmp_path):
    folder = tmp_path / "conf"
    folder.mkdir()
    (folder / "10-base.yaml").write_text(HEAD)
    (folder / "20-routes.yaml").write_text(ROUTE)
    assert doorward("check", "-c", folder).returncode == 0
    (folder / "20-routes.yaml").write_text(ROUTE.replace("service: app", "service: ap"))
    done = doorward("check", "-c", folder)
    assert done.returncode == 2 and re.search(r"20-routes\.yaml:3:\d+", done.stdout + done.stderr)


def test_run_refuses_a_bad_config_with_2_and_listens_nowhere(peers):
    gateway = peers.gateway("version: 1\nlistners: []\n", ready=False)
    gateway.expected_status = 2
    assert gateway.process.wait(DEADLINE) == 2
    assert re.search(r"doorward\.yaml:2:1\b", gateway.stderr())
    assert "listeners" in gateway.stderr()
    assert not gateway.events("listening")


def test_a_deeply_nested_config_is_refused_quickly(doorward, tmp_path):
    path = tmp_path / "deep.yaml"
    path.write_text("a: " + "[" * 20000)
    assert doorward("check", "-c", path).returncode == 2


def test_aliases_cannot_blow_a_config_up(doorward, tmp_path):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [" + ", ".join([f"*a{n - 1}"] * 9) + "]" for n in range(1, 12)]
    path = tmp_path / "bomb.yaml"
    path.write_text("\n".join(lines) + "\n")
    assert doorward("check", "-c", path).returncode == 2


def test_the_pieces_of_this_suite_are_good_configs(doorward, tmp_path):
    for number, settings in enumerate([config.proxy("http://127.0.0.1:1"), config.respond()]):
        path = tmp_path / f"{number}.yaml"
        gateways.write_config(path, settings)
        assert doorward("check", "-c", path).returncode == 0


SECRET = "SUPERSECRETTOKEN"


@pytest.mark.parametrize("text,shown", [
    ('admin: {address: "nope", token: "%s"}', "token: ***}"),
    ("admin: {token: %s, address: nope}", "token: ***, address: nope"),
    ("admin: {tokn: %s}", "tokn: ***"),
    ("admin:\n  token: %s\n  token: %s", "token: ***"),
    ('admin:\n  token:\n    ["%s"]', "***"),
    ('admin: {address: "nope", token: "%s" "', "token: ***"),
])
def test_a_secret_is_not_shown_with_a_mistake(doorward, tmp_path, peers, text, shown):
    text = HEAD + text.replace("%s", SECRET) + "\n" + ROUTE
    output = check(doorward, tmp_path, text)
    assert SECRET not in output and shown in output, output
    gateway = peers.gateway(text, ready=False)
    gateway.expected_status = 2
    assert gateway.process.wait(DEADLINE) == 2
    assert SECRET not in gateway.stderr() and shown in gateway.stderr()
