"""Real clients: curl and wrk."""
import re
import subprocess


def curl(*arguments, stdin=None, timeout=60):
    """Runs curl silently; CompletedProcess with bytes."""
    return subprocess.run(["curl", "-sS", "--noproxy", "*", "--max-time", str(timeout),
                           *map(str, arguments)],
                          input=stdin, capture_output=True, timeout=timeout + 10, check=False)


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

    def __init__(self, url, folder, seconds=3, connections=8, headers=()):
        script = folder / "load.lua"
        script.write_text(self.SCRIPT)
        self.arguments = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s",
                          "-s", str(script), *[x for h in headers for x in ("-H", h)], url]
        self.process = None
        self.output = None

    def __enter__(self):
        self.process = subprocess.Popen(self.arguments, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True)
        return self

    def __exit__(self, *_):
        if self.process.poll() is None and self.output is None:
            self.wait()

    def running(self):
        return self.process.poll() is None

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
