"""File descriptors of a running gateway: lets it run out of them, and gives them back. An accept
that io_uring has under way keeps the limit it began with."""
import contextlib
import os
import resource


def free_descriptors(gateway, count):
    """The limit (a context) with which it can open that many more."""
    taken = {int(name) for name in os.listdir(f"/proc/{gateway.pid}/fd")}
    limit = 0
    while count >= 0:
        count -= limit not in taken
        limit += 1
    return limit_of(gateway, limit - 1)


@contextlib.contextmanager
def limit_of(gateway, soft):
    before = resource.prlimit(gateway.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(gateway.pid, resource.RLIMIT_NOFILE, (soft, before[1]))
    yield soft
    resource.prlimit(gateway.pid, resource.RLIMIT_NOFILE, before)
