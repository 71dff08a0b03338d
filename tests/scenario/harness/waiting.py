"""Waiting for what another process does: polled conditions with a deadline, never a bare sleep.
DEADLINE is generous, sanitizer builds on busy machines are slow; only failures spend it."""
import os
import time

DEADLINE = float(os.environ.get("DOORWARD_TEST_DEADLINE", "20"))
_STEP = 0.005


def eventually(probe, what="the condition", deadline=DEADLINE):
    """Calls `probe` until it gives something true, which is returned; fails at the deadline."""
    end = time.monotonic() + deadline
    while True:
        found = probe()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not come within {deadline:g} s")
        time.sleep(_STEP)


def stays(probe, seconds, what="the condition"):
    """Asserts that `probe` is true all the time for `seconds`: for things that must not happen."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert probe(), f"{what} did not last {seconds:g} s"
        time.sleep(_STEP)
