"""Reload by SIGHUP and by file watch: atomic, no request lost; a bad config changes nothing."""
import json
import threading

import pytest

from harness import backend as backends, config, gateway as gateways, raw
from harness.clients import Load
from harness.origin import Told
from harness.raw import Raw, request
from harness.waiting import eventually, stays


def test_a_new_config_takes_effect(peers):
    gateway = peers.gateway(config.respond("old"))
    client = peers.client(gateway)
    assert client.get("/").body == b"old"
    gateway.reload(config.respond("new"))
    assert client.get("/").body == b"new"


def test_port_0_stays_the_same_port_over_a_reload(peers):
    gateway = peers.gateway(config.respond("old"))
    gateway.reload(config.respond("new"))
    assert peers.client(gateway).get("/").body == b"new"


@pytest.mark.parametrize("bad", ["version: 1\nlistners: []\n", "{", ""])
def test_a_bad_config_leaves_the_old_one_running_and_says_so(peers, bad):
    gateway = peers.gateway(config.respond("old"))
    event = gateway.reload(bad, expect="reload_failed")
    assert "doorward.yaml" in json.dumps(event)
    assert peers.client(gateway).get("/").body == b"old"
    gateway.reload(config.respond("mended"))
    assert peers.client(gateway).get("/").body == b"mended"
    assert gateway.metrics().sum("doorward_reloads_total", result="failed") >= 1
    assert gateway.metrics().sum("doorward_reloads_total", result="ok") >= 1


def test_a_missing_file_leaves_the_old_config_running(peers):
    gateway = peers.gateway(config.respond("old"))
    gateway.config_path.unlink()
    gateway.reload(expect="reload_failed")
    assert peers.client(gateway).get("/").body == b"old"


def test_a_changed_file_is_noticed_without_a_signal(peers):
    gateway = peers.gateway(config.respond("old"))
    gateway.write(config.respond("new"))
    gateway.wait_event("reloaded")
    assert peers.client(gateway).get("/").body == b"new"


def test_a_file_changed_in_place_is_noticed(peers):
    gateway = peers.gateway(config.respond("old"))
    gateway.config_path.write_text(gateway.config_path.read_text().replace("old", "new"))
    gateway.wait_event("reloaded")
    eventually(lambda: peers.client(gateway).get("/").body == b"new", "the new config")


def test_a_bad_file_is_noticed_and_refused(peers):
    gateway = peers.gateway(config.respond("old"))
    gateway.write("version: 1\nlistners: []\n")
    gateway.wait_event("reload_failed")
    assert peers.client(gateway).get("/").body == b"old"


def test_connections_outlive_a_reload(peers):
    gateway = peers.gateway(config.respond("0"))
    client = peers.client(gateway)
    for number in range(1, 6):
        gateway.reload(config.respond(str(number)))
        assert client.get("/").body == str(number).encode()


def test_an_exchange_keeps_the_config_it_began_with(peers):
    go_on = threading.Event()

    def script(connection):
        while connection.recv_request():
            go_on.wait(20)
            connection.send(raw.response(200, body=b"x"))
    backend = peers.backend(script)
    old = config.proxy(backend, policies=[{"headers": {"response": {"set": {"x-config": "old"}}}}])
    new = config.proxy(backend, policies=[{"headers": {"response": {"set": {"x-config": "new"}}}}])
    gateway = peers.gateway(old)
    client = peers.client(gateway)
    client.send(request("/"))
    backend.wait_requests()
    gateway.reload(new)
    go_on.set()
    assert client.recv_response().get("x-config") == "old"
    assert client.get("/").get("x-config") == "new"


def test_unchanged_services_keep_their_pooled_connections(peers):
    origin = peers.origin()
    gateway = peers.gateway(config.proxy(origin))
    assert Told(peers.client(gateway).get("/")).connection == 0
    gateway.reload(config.proxy(origin, policies=[{"request_id": {}}]))
    assert Told(peers.client(gateway).get("/")).connection == 0


def test_connections_of_removed_services_are_closed(peers):
    origin = peers.origin()
    gateway = peers.gateway(config.proxy(origin))
    assert peers.client(gateway).get("/").status == 200
    gateway.reload(config.respond("new"))
    eventually(lambda: all(c.over.is_set() for c in origin.connections), "closed connections")


def test_listeners_come_and_go(peers):
    settings = config.respond("x")
    settings["listeners"].append({"name": "extra", "address": "127.0.0.1:0"})
    gateway = peers.gateway(config.respond("x"))
    gateway.reload(settings)
    extra = eventually(lambda: gateway.addresses().get("extra"), "the new listener")
    assert peers.client(extra).get("/").body == b"x"
    gateway.reload(config.respond("x"))
    def refused():
        try:
            Raw(extra).close()
        except ConnectionError:
            return True
    eventually(refused, "the end of the removed listener")
    assert peers.client(gateway).get("/").body == b"x"


def test_an_address_in_use_makes_the_whole_reload_fail(peers):
    origin = peers.origin()
    gateway = peers.gateway(config.respond("old"))
    settings = config.respond("new")
    settings["listeners"].append({"name": "taken", "address": f"127.0.0.1:{origin.port}"})
    event = gateway.reload(settings, expect="reload_failed")
    assert str(origin.port) in json.dumps(event)
    assert peers.client(gateway).get("/").body == b"old"


def test_changed_limits_of_a_listener_hold_for_new_requests(peers):
    gateway = peers.gateway(config.proxy(peers.origin()))
    target = "/" + "a" * 2000
    assert peers.client(gateway).get(target).status == 200
    gateway.reload(config.proxy(peers.origin(), listener={"limits": {"target_length": "1KiB"}}))
    assert peers.client(gateway).get(target).status == 414


def test_many_reloads_under_load_lose_no_request(peers, tmp_path):
    nginx = peers.nginx()
    def settings(number):
        return config.proxy(nginx, policies=[
            {"headers": {"response": {"set": {"x-config": str(number)}}}}])
    gateway = peers.gateway(settings(0), workers=2)
    with Load(f"http://{gateway.address()}/small", tmp_path, seconds=4, connections=16) as load:
        number = 0
        while load.running():
            number += 1
            gateway.reload(settings(number))
    load.assert_clean()
    assert number >= 3


def test_many_signals_at_once_settle_on_the_last_config(peers):
    gateway = peers.gateway(config.respond("old"))
    for number in range(20):
        gateway.write(config.respond(str(number)))
        gateway.signal(gateways.signal.SIGHUP)
    eventually(lambda: peers.client(gateway).get("/").body == b"19", "the last config")
    stays(lambda: peers.client(gateway).get("/").body == b"19", 0.3, "the last config")


def test_memory_and_descriptors_do_not_grow_over_reloads(peers):
    gateway = peers.gateway(config.proxy(peers.origin()))
    client = peers.client(gateway)
    for number in range(30):
        gateway.reload(config.proxy("http://127.0.0.1:1", route={"name": f"route-{number % 3}"}))
        client.get("/")
        if number == 10:
            memory, descriptors = gateway.resident(), gateway.descriptors()
    assert gateway.descriptors() <= descriptors + 2
    assert gateway.resident() < memory + (16 << 20)


def test_the_reload_command_asks_the_running_gateway(peers, doorward):
    gateway = peers.gateway(config.respond("old"))
    gateway.write(config.respond("new"))
    done = doorward("reload", str(gateway.process.pid))
    assert done.returncode == 0, done
    gateway.wait_event("reloaded")
    assert peers.client(gateway).get("/").body == b"new"


def free_address():
    listener, url = backends.listen()
    listener.close()
    return url.removeprefix("http://")


def on(address, name, text="x"):
    settings = config.respond(text)
    settings["listeners"] = [{"name": name, "address": address}]
    return settings


def test_a_renamed_listener_keeps_its_socket_and_its_connections(peers):
    address = free_address()
    gateway = peers.gateway(on(address, "old"), workers=2)
    client = peers.client(gateway)
    assert client.get("/").status == 200
    gateway.reload(on(address, "new", text="y"))
    assert client.get("/").body == b"y"
    assert gateway.events("listener_renamed")[0]["from"] == "old"
    assert [line["listener"] for line in gateway.wait_access_log(2)] == ["old", "new"]
    assert peers.client(address).get("/").body == b"y"

    def opened(name):
        return gateway.metrics().sum("doorward_connections_open", listener=name)
    assert opened("old") == 0 and opened("new") == 2
    client.close()
    eventually(lambda: opened("new") == 1, "the end of the first connection")


def test_listeners_may_change_their_names(peers):
    addresses = [free_address(), free_address()]
    def settings(*names):
        both = config.respond("x")
        both["listeners"] = [{"name": name, "address": address}
                             for name, address in zip(names, addresses)]
        return both
    gateway = peers.gateway(settings("a", "b"))
    gateway.reload(settings("b", "a"))
    assert peers.client(addresses[0]).get("/").status == 200
    assert gateway.wait_access_log()[0]["listener"] == "b"


def test_a_listener_is_renamed_at_an_upgrade_as_well(peers):
    address = free_address()
    gateway = peers.gateway(on(address, "old"))
    gateway.write(on(address, "new", text="y"))
    gateway.wait_event("reloaded")
    gateway.upgrade()
    assert peers.client(address).get("/").body == b"y"
