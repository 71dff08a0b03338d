"""A folder as configuration: its files are joined in the order of their names, and every change of
it is taken up, by SIGHUP and by the file watch."""
import shutil

import pytest

from harness.raw import assert_problem
from harness.waiting import eventually, stays

LISTENERS = {"version": 1, "listeners": [{"name": "web", "address": "127.0.0.1:0"}]}
WATCH = "a file changed"


def part(**bodies):
    """A file with a route for each name, which says its body."""
    return {"version": 1, "routes": [
        {"name": name, "match": {"path": f"/{name}"}, "respond": {"status": 200, "body": body}}
        for name, body in bodies.items()]}


def started(peers, **files):
    return peers.folder_gateway({"10-listeners.yaml": LISTENERS, **{
        f"{name.replace('_', '-')}.yaml": text for name, text in files.items()}})


def outcomes(gateway, why):
    return [e for e in gateway.events("reloaded", "reload_failed") if e["why"] == why]


@pytest.fixture(params=["SIGHUP", "watch"])
def change(request):
    """change(gateway, files): writes or removes them, and returns the event that tells how the
    reload went which that caused. The watch hears of one file at a time."""
    def by_signal(gateway, files, expect="reloaded"):
        return gateway.reload(files, expect)

    def by_watch(gateway, files, expect="reloaded"):
        before = len(outcomes(gateway, WATCH))
        gateway.write(files)
        event = eventually(lambda: outcomes(gateway, WATCH)[before:], "a reload by the watch")[0]
        assert event["event"] == expect, event
        return event
    return by_signal if request.param == "SIGHUP" else by_watch


def settled(gateway):
    """The watch looks again for a moment after each change; this is the end of that."""
    before = gateway.events("reloaded", "reload_failed")
    stays(lambda: gateway.events("reloaded", "reload_failed") == before, 0.5, "what it had found")


def test_the_files_of_a_folder_are_one_configuration(peers):
    """Order counts between routes that are equally precise; maps are united over the files."""
    origins = [peers.origin("first"), peers.origin("second")]
    match = {"match": {"path": "/same"}}
    gateway = started(
        peers,
        z_30={"version": 1, "services": {"second": {"endpoints": [origins[1].url]}},
              "routes": [{"name": "late", **match, "service": "second"},
                         {"name": "other", "match": {"path": "/other"}, "service": "first"}]},
        z_20={"version": 1, "services": {"first": {"endpoints": [origins[0].url]}},
              "routes": [{"name": "early", **match, "service": "first"}]})
    client = peers.client(gateway)
    assert client.get("/same").json()["origin"] == "first"
    assert client.get("/other").json()["origin"] == "first"
    assert [line["route"] for line in gateway.wait_access_log(2)] == ["early", "other"]


def test_a_changed_file_takes_effect(peers, change):
    gateway = started(peers, a=part(a="old"), b=part(b="b"))
    client = peers.client(gateway)
    change(gateway, {"a.yaml": part(a="new")})
    assert (client.get("/a").body, client.get("/b").body) == (b"new", b"b")


def test_an_added_file_takes_effect(peers, change):
    gateway = started(peers, a=part(a="a"))
    client = peers.client(gateway)
    assert client.get("/b").status == 404
    change(gateway, {"b.yaml": part(b="b")})
    assert (client.get("/a").body, client.get("/b").body) == (b"a", b"b")
    change(gateway, {"b.yaml": part(b="changed")})  # one that was not there at the start
    assert client.get("/b").body == b"changed"
    change(gateway, {"c.yml": part(c="c")})
    assert client.get("/c").body == b"c"


def test_a_removed_file_takes_its_part_with_it(peers, change):
    gateway = started(peers, a=part(a="a"), b=part(b="b"))
    client = peers.client(gateway)
    assert client.get("/b").body == b"b"
    change(gateway, {"b.yaml": None})
    assert client.get("/a").body == b"a"
    assert_problem(client.get("/b"), 404, "no_route")


@pytest.mark.parametrize("broken,says", [
    ("version: 1\nroutes:\n  - {name: b, match: {pth: /b}, respond: {status: 200}}\n", ":3:"),
    ("{", ":1:"), (part(a="twice"), ":5:")])
def test_a_broken_file_leaves_the_old_running_and_is_named(peers, change, broken, says):
    gateway = started(peers, a=part(a="a"), b=part(b="old"))
    client = peers.client(gateway)
    event = change(gateway, {"b.yaml": broken}, expect="reload_failed")
    told = "\n".join(event["errors"])
    assert "conf.d/b.yaml" in told and says in told
    assert "listeners.yaml" not in told
    assert (client.get("/a").body, client.get("/b").body) == (b"a", b"old")
    change(gateway, {"b.yaml": part(b="mended")})
    assert client.get("/b").body == b"mended"


def test_an_added_file_that_is_broken_leaves_the_old_running_and_is_named(peers, change):
    gateway = started(peers, a=part(a="a"))
    client = peers.client(gateway)
    event = change(gateway, {"new.yaml": "version: 1\nroute: []\n"}, expect="reload_failed")
    assert "conf.d/new.yaml:2:1" in "\n".join(event["errors"])
    assert client.get("/a").body == b"a"
    change(gateway, {"new.yaml": None})
    change(gateway, {"a.yaml": part(a="after")})
    assert client.get("/a").body == b"after"


def test_removing_every_file_leaves_the_old_running(peers, change):
    gateway = started(peers)
    event = change(gateway, {"10-listeners.yaml": None}, expect="reload_failed")
    assert "listeners" in "\n".join(event["errors"])
    (gateway.config_path / "00-admin.yaml").unlink()
    event = gateway.reload(expect="reload_failed")
    assert "conf.d" in "\n".join(event["errors"])
    assert peers.client(gateway).get("/").status == 404


def test_files_of_other_kinds_are_not_read(peers):
    gateway = started(peers, a=part(a="a"))
    for name in (".a.yaml.swp", "a.yaml~", "README.md", ".hidden.yaml"):
        (gateway.config_path / name).write_text("no: configuration")
    stays(lambda: not gateway.events("reloaded", "reload_failed"), 0.5, "the peace of the watch")
    gateway.reload()


def test_links_that_are_switched_to_another_folder_are_noticed(peers):
    """As Kubernetes projects a ConfigMap: each file is a link through one that is swapped."""
    gateway = started(peers)
    folder = gateway.config_path
    for version in ("1", "2"):
        (folder / f"..{version}").mkdir()
        (folder / f"..{version}" / "a.yaml").write_text(str(part(a=version)))
    (folder / "..data").symlink_to("..1")
    (folder / "a.yaml").symlink_to("..data/a.yaml")
    client = peers.client(gateway)
    eventually(lambda: client.get("/a").body == b"1", "the first version")
    (folder / "..fresh").symlink_to("..2")
    (folder / "..fresh").rename(folder / "..data")
    eventually(lambda: client.get("/a").body == b"2", "the second version")


def test_a_folder_that_another_one_takes_the_place_of_is_noticed(peers):
    """As tools deploy that write a whole folder beside it and rename."""
    gateway = started(peers, a=part(a="old"))
    folder, client = gateway.config_path, peers.client(gateway)
    for number in ("1", "2"):
        fresh = folder.with_name(f"fresh-{number}")
        fresh.mkdir()
        for path in folder.glob("*.yaml"):
            (fresh / path.name).write_bytes(path.read_bytes())
        (fresh / "a.yaml").write_text(str(part(a=number)))
        folder.rename(folder.with_name(f"before-{number}"))
        fresh.rename(folder)
        eventually(lambda n=number: client.get("/a").body == n.encode(), "the folder's new files")
    (folder / "a.yaml").write_text(str(part(a="in place")))
    eventually(lambda: client.get("/a").body == b"in place", "a change in the new folder")


def test_a_folder_that_is_removed_and_made_anew_is_noticed(peers):
    gateway = started(peers, a=part(a="old"))
    shutil.rmtree(gateway.config_path)
    gateway.wait_event("reload_failed")
    settled(gateway)
    gateway.config_path.mkdir()
    settled(gateway)
    assert peers.client(gateway).get("/a").body == b"old"
    gateway.write({"10-listeners.yaml": LISTENERS, "a.yaml": part(a="new")})
    eventually(lambda: peers.client(gateway).get("/a").body == b"new", "the new files")


def test_a_broken_link_in_a_folder_is_mended_where_it_points(peers, tmp_path):
    gateway = started(peers, a=part(a="a"))
    (tmp_path / "elsewhere").mkdir()
    target = tmp_path / "elsewhere" / "b.yaml"
    target.write_text("version: 1\nroute: []\n")
    (gateway.config_path / "b.yaml").symlink_to(target)
    event = gateway.wait_event("reload_failed")
    assert "conf.d/b.yaml:2:1" in "\n".join(event["errors"])
    settled(gateway)
    target.write_text(str(part(b="b")))
    client = peers.client(gateway)
    eventually(lambda: client.get("/b").body == b"b", "the mended file")


def test_an_upgrade_reads_the_folder_anew(peers):
    gateway = started(peers, a=part(a="a"))
    gateway.reload({"b.yaml": part(b="b")})
    old = gateway.upgrade()
    assert gateway.wait_exit(old) == 0
    client = peers.client(gateway)
    assert (client.get("/a").body, client.get("/b").body) == (b"a", b"b")
    gateway.write({"b.yaml": part(b="again")})
    eventually(lambda: client.get("/b").body == b"again", "the successor's watch")
