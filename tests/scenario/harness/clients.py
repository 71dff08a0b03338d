"""Real clients: curl, wrk, openssl s_client, nghttp and h2load."""
import re
import signal
import subprocess


def curl(*arguments, stdin=None, timeout=60):
    """Runs curl silently; CompletedProcess with bytes."""
    return subprocess.run(["curl", "-sS", "--noproxy", "*", "--max-time", str(timeout),
                           *map(str, arguments)],
                          input=stdin, capture_output=True, timeout=timeout + 10, check=False)


def s_client(address, *arguments, stdin="", timeout=20):
    """What `openssl s_client` says of a connection, in both of its outputs; it ends with `stdin`,
    where letters at the beginning of a line are its commands."""
    done = subprocess.run(["openssl", "s_client", "-connect", address, *map(str, arguments)],
                          input=stdin, capture_output=True, text=True, errors="replace",
                          timeout=timeout, check=False)
    return done.stdout + done.stderr


def nghttp(*arguments, timeout=60):
    """Runs nghttp, an HTTP/2 client; CompletedProcess with bytes."""
    return subprocess.run(["nghttp", "--no-verify-peer", *map(str, arguments)],
                          capture_output=True, timeout=timeout, check=False)


def h2load(url, requests, clients=1, streams=10, *arguments, timeout=120):
    """Runs h2load; {"succeeded", "failed", "2xx", "4xx", …}."""
    done = subprocess.run(["h2load", f"-n{requests}", f"-c{clients}", f"-m{streams}",
                           *map(str, arguments), url], capture_output=True, text=True,
                          timeout=timeout, check=False)
    assert done.returncode == 0, done
    found = re.findall(r"(\d+) (succeeded|failed|errored|timeout|[2-5]xx)", done.stdout)
    return {word: int(count) for count, word in found}


class Load:
    """wrk in the background: `with Load(url) as load: …` then `load.result()`."""

    SCRIPT = """
local threads = {}
function setup(thread) table.insert(threads, thread) end
function init(args) bad = 0; statuses = "" end
function response(status, headers, body)
  if status < 200 or status > 299 then bad = bad + 1; statuses = statuses .. status .. " " end
end
function done(summary, latency, requests)
  local bad, statuses = 0, ""
  for _, thread in ipairs(threads) do
    bad = bad + thread:get("bad"); statuses = statuses .. thread:get("statuses")
  end
  print("RESULT requests=" .. summary.requests .. " bad=" .. bad
    .. " connect=" .. summary.errors.connect .. " read=" .. summary.errors.read
    .. " write=" .. summary.errors.write .. " timeout=" .. summary.errors.timeout)
  print("STATUSES " .. string.sub(statuses, 1, 400))
end
"""

    def __init__(self, url, folder, seconds=3, connections=8, headers=(), method="GET"):
        script = folder / "load.lua"
        script.write_text(f'wrk.method = "{method}"\n{self.SCRIPT}')
        self.arguments = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s",
                          "-s", str(script), *[x for h in headers for x in ("-H", h)], url]
        self.process = None
        self.output = None

    def __enter__(self):
        self.process = subprocess.Popen(self.arguments, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True)
        return self

    def __exit__(self, kind, *_):
        if self.process.poll() is None and self.output is None:
            self.stop() if kind else self.wait()

    def running(self):
        return self.process.poll() is None

    def stop(self):
        """Ends it now instead of after its time, with a result as usual."""
        assert self.running(), "its time was over before"
        self.process.send_signal(signal.SIGINT)
        self.wait()

    def wait(self):
        self.output = self.process.communicate(timeout=120)[0]

    def result(self):
        """{"requests", "bad" (not 2xx), "connect", "read", "write", "timeout"}"""
        if self.output is None:
            self.wait()
        found = re.search(r"RESULT (.*)", self.output)
        assert found, self.output
        return {k: int(v) for k, v in (word.split("=") for word in found[1].split())}

    def statuses(self):
        return set(re.search(r"STATUSES (.*)", self.output)[1].split())

    def assert_clean(self):
        result = self.result()
        assert result.pop("requests") > 0, self.output
        assert not any(result.values()), self.output
