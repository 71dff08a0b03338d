"""Candidates: what can stand in a round, and how each is started from its template."""
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from harness import optional
from harness.process import Server, free_port

BENCH = Path(__file__).resolve().parent.parent
SUFFIX = {"doorward": "yaml", "nginx": "nginx.conf", "haproxy": "haproxy.cfg",
          "nghttpx": "nghttpx.conf", "envoy": "envoy.yaml", "caddy": "Caddyfile"}
TLS_FEATURES = ("tls", "resumed")


@dataclass
class Places:
    """Where a run finds its programs and keeps its files."""
    build: Path            # the build folder with relays, load generator and gateway
    out: Path              # build/bench: result, logs, rendered configs
    doorward: Path
    optional: dict = field(default_factory=dict)  # envoy, caddy, pingora -> program
    gateway_cores: set = None
    other_cores: set = None
    configs: dict = field(default_factory=dict)   # rendered configs, for the result file


def render(places, template, name, **values):
    """Fills @NAME@ marks and writes the config that is used; it goes into the result too."""
    text = (BENCH / template).read_text()
    for key, value in {"DIR": places.out / "run", "NAME": name, **values}.items():
        text = text.replace(f"@{key}@", str(value))
    path = places.out / "run" / f"{name}-{Path(template).name}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    places.configs[template] = (BENCH / template).read_text()
    return path


@dataclass
class Candidate:
    """One row of a cell. `loop` is the floor it stands on; `feature` the config it runs."""
    name: str
    kind: str              # doorward, floor, nginx, haproxy, nghttpx, envoy, caddy, pingora
    loop: str = "epoll"
    feature: str = "plain"
    marks: dict = field(default_factory=dict)  # marks of its template that stand for other ones
    logs: bool = False     # writes an access log that must have a line per request
    server: Server = None
    log_path: Path = None
    run: Path = None       # the folder of this run: configs, certificate, logs

    @property
    def tls(self):
        """Whether its clients speak TLS to it."""
        return self.feature in TLS_FEATURES

    def start(self, places, backend):
        port = free_port()
        values = {"PORT": port, **backend.marks()}
        values |= {mark: values[other] for mark, other in self.marks.items()}
        run = self.run = places.out / "run"
        run.mkdir(parents=True, exist_ok=True)
        stdout = None
        if self.logs:
            self.log_path = values["LOG"] = run / f"{self.name}.log"
            self.log_path.write_bytes(b"")
            stdout = self.log_path if self.kind == "haproxy" else None
        self.server = Server(self.name, self._command(places, values), port, run,
                             places.gateway_cores, self._environment(values), stdout).wait_ready()
        return self

    def _environment(self, values):
        if self.kind != "pingora":
            return None
        return {"BENCH_PORT": str(values["PORT"]), "BENCH_BACKEND": str(values["BACKEND"])}

    def _command(self, places, values):
        if self.kind == "floor":
            return [places.build / "bench" / f"relay_{self.loop}", values["PORT"], values["BACKEND"]]
        if self.kind == "pingora":
            return [places.optional["pingora"]]
        folder = "doorward" if self.kind == "doorward" else "peers"
        template = f"{folder}/{self.feature}.{SUFFIX[self.kind]}"
        config = render(places, template, self.name, **values)
        if self.kind == "doorward":
            program = places.doorward
            if self.name.endswith("-copy"):
                program = _copy_of(places)
            return [program, "run", "-c", config, "--workers", "1", "--loop", self.loop]
        if self.kind == "nginx":
            return ["nginx", "-e", "stderr", "-c", config, "-g", "daemon off;"]
        if self.kind == "haproxy":
            return ["haproxy", "-db", "-f", config]
        if self.kind == "nghttpx":
            return ["nghttpx", f"--conf={config}"]
        if self.kind == "envoy":
            return [places.optional["envoy"], "-c", config, "--concurrency", "1",
                    "--log-level", "error", "--disable-hot-restart"]
        return [places.optional["caddy"], "run", "--adapter", "caddyfile", "--config", config]

    def stop(self):
        if self.server:
            self.server.stop()


def _copy_of(places):
    """The second copy of the same binary: a run where the two differ measures noise."""
    copy = places.out / "run" / "doorward.copy"
    shutil.copy2(places.doorward, copy)
    return copy


def versions(places):
    """First line of what each program says about itself."""
    asks = {"doorward": [places.doorward, "version"], "nginx": ["nginx", "-v"],
            "haproxy": ["haproxy", "-v"], "wrk": ["wrk", "-v"], "nghttpx": ["nghttpx", "-v"],
            "h2load": ["h2load", "--version"], "openssl": ["openssl", "version"]}
    if "envoy" in places.optional:
        asks["envoy"] = [places.optional["envoy"], "--version"]
    if "caddy" in places.optional:
        asks["caddy"] = [places.optional["caddy"], "version"]
    found = {}
    for name, command in asks.items():
        try:
            done = subprocess.run([str(c) for c in command], capture_output=True, text=True,
                                  timeout=20)
            lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
            # Without the folder that it lies in.
            found[name] = lines[0].replace(str(command[0]), name).strip() if lines else "unknown"
        except (OSError, subprocess.TimeoutExpired):
            found[name] = "unknown"
    for name, version in optional.pinned().items():
        if name in places.optional and found.get(name, "unknown") == "unknown":
            found[name] = version
    return found
