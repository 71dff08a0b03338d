"""A browser through the gateway over TLS: it loads a page, opens a WebSocket and an EventSource, and
reports to the backend what it has seen. Skipped where Debian's chromium is not installed."""
import json
import os
import queue
import shutil
import signal
import subprocess

import pytest

from harness import websocket as ws
from harness.either import EitherBackend
from harness.waiting import DEADLINE, eventually

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")

EVENTS = 3
PAGE = """<!doctype html><meta charset="utf-8"><title>Scenario</title><script>
function socket() {
  return new Promise(done => {
    const got = [], socket = new WebSocket(`wss://${location.host}/socket`);
    const sent = ["κόσμε", "x".repeat(100000)];
    socket.onopen = () => socket.send(sent[0]);
    socket.onmessage = message => {
      got.push(message.data === sent[got.length]);
      if (got.length < sent.length) socket.send(sent[got.length]); else socket.close(4000, "bye");
    };
    socket.onclose = close => done({got, code: close.code, clean: close.wasClean});
  });
}
function events() {
  return new Promise(done => {
    const got = [], source = new EventSource("/events");
    source.onmessage = event => {
      got.push([event.lastEventId, event.data]);
      fetch("/seen", {method: "POST", body: event.lastEventId});
      if (got.length === EVENTS) { source.close(); done(got); }
    };
    source.onerror = () => { source.close(); done(["error", got]); };
  });
}
Promise.all([socket(), events()])
  .then(([socket, events]) => ({socket, events}), error => ({error: String(error)}))
  .then(seen => fetch("/report", {method: "POST", body: JSON.stringify(seen)}));
</script>""".replace("EVENTS", str(EVENTS))


class Stage:
    """What the page talks to. Each event is sent when the one before it was seen."""

    def __init__(self):
        self.seen, self.reports = queue.Queue(), queue.Queue()

    def __call__(self, asked):
        body = asked.body()
        if asked.target == "/page":
            asked.answer(200, "content-type: text/html", body=PAGE.encode())
        elif asked.target == "/events":
            self._events(asked)
        elif asked.target in ("/seen", "/report"):
            (self.seen if asked.target == "/seen" else self.reports).put(body)
            asked.answer(204)
        else:
            asked.answer(404)

    def _events(self, asked):
        asked.head(200, "content-type: text/event-stream")
        for number in range(EVENTS):
            asked.send(f"id: {number}\ndata: event {number}\n\n".encode())
            assert self.seen.get(timeout=4 * DEADLINE) == str(number).encode()
        asked.wait_gone()


class Browser:
    """Chromium at a page; it ends with the test."""

    def __init__(self, folder, url):
        self.log = folder / "chromium.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
                 "--disable-dev-shm-usage", "--disable-background-networking", "--no-proxy-server",
                 "--ignore-certificate-errors", f"--user-data-dir={folder / 'profile'}",
                 "--enable-logging=stderr", url],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                env={**os.environ, "HOME": str(folder)})

    def report(self, reports):
        """What the page says; the browser may take its time to start."""
        def came():
            try:
                return reports.get_nowait()
            except queue.Empty:
                assert self.process.poll() is None, self.said()
                return None
        try:
            return json.loads(eventually(came, "the page's report", 6 * DEADLINE))
        except AssertionError as failure:
            raise AssertionError(self.said()) from failure

    def said(self):
        return self.log.read_text(errors="replace")[-4000:]

    def finish(self):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait(DEADLINE)


@pytest.mark.parametrize("http2", [True, False], ids=["http2", "http1"])
def test_a_browsers_websocket_and_event_source(peers, certificates, http2):
    stage, frames = Stage(), ws.Frames(ws.echo)
    backend, sockets = peers.add(EitherBackend(1, stage)), peers.backend(frames)
    gateway = peers.gateway({
        "version": 1,
        "listeners": [{"name": "web", "address": "127.0.0.1:0", "http2": {"enabled": http2},
                       **certificates.listener()}],
        "services": {"app": {"endpoints": [backend.url]}, "live": {"endpoints": [sockets.url]}},
        "routes": [{"name": "live", "match": {"path": "/socket"}, "service": "live", "policies": [
                       {"websocket": {"origins": ["https://127.0.0.1:*"]}}]},
                   {"name": "app", "service": "app"}]})
    browser = peers.add(Browser(peers.new_folder("browser"), f"https://{gateway.address()}/page"))
    assert browser.report(stage.reports) == {
        "socket": {"got": [True, True], "code": 4000, "clean": True},
        "events": [[str(number), f"event {number}"] for number in range(EVENTS)]}
    assert frames.close_code == 4000
    browser.finish()

    def lines():
        found = {line["path"]: line for line in gateway.access_log()}
        return found if {"/page", "/socket", "/events", "/report"} <= set(found) else None
    logged = eventually(lines, "the access log")
    assert {logged[path]["protocol"] for path in ("/page", "/socket", "/events", "/report")} == {
        "HTTP/2" if http2 else "HTTP/1.1"}
    assert not logged["/socket"].get("error"), logged["/socket"]
