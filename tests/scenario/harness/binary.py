"""Where the binary under test is, and how its one-shot commands are run."""
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[3]
PRESETS = ("asan", "debug", "release")

# Reports on stderr are searched for by the harness; a small quarantine keeps memory tests honest.
ENVIRONMENT = {
    "ASAN_OPTIONS": "quarantine_size_mb=8:detect_leaks=1:abort_on_error=0:exitcode=99",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    "TSAN_OPTIONS": "exitcode=99:halt_on_error=0",
}


def path():
    """DOORWARD_BINARY, or the first built preset."""
    chosen = os.environ.get("DOORWARD_BINARY")
    candidates = [pathlib.Path(chosen)] if chosen else [
        ROOT / "build" / preset / "doorward" for preset in PRESETS]
    for candidate in candidates:
        if candidate.exists():
            return str(candidate.resolve())
    raise FileNotFoundError(
        f"no binary at {', '.join(map(str, candidates))}: build one or set DOORWARD_BINARY")


def sanitized():
    """True when the binary carries a sanitizer (it is slower and bigger)."""
    with open(path(), "rb") as binary:
        content = binary.read()
    return b"__asan_init" in content or b"__tsan_init" in content


def environment(extra=None):
    return {**os.environ, **ENVIRONMENT, **(extra or {})}


def command(*arguments, cwd=None, timeout=60, env=None, stdin=None, prefix=()):
    """Runs `doorward ARGUMENTS` to its end: CompletedProcess with text output."""
    return subprocess.run([*prefix, path(), *map(str, arguments)], cwd=cwd, timeout=timeout,
                          env=environment(env), input=stdin, text=True, capture_output=True,
                          check=False)
