"""What one slice of a load costs: the server, the backends, and the whole machine."""
import resource
import time

from harness.process import TICKS, machine_ticks


def measured(server, backend, load):
    """Runs one slice and adds what it cost."""
    own, other, machine, start = (server.usage(), backend.usage(), machine_ticks(),
                                  time.monotonic())
    children = _children_cpu()
    result = load()
    after, backend_after = server.usage(), backend.usage()
    result["own_cpu_s"] = (after["cpu_ns"] - own["cpu_ns"]) / 1e9
    user = after["user_ticks"] - own["user_ticks"]
    system = after["system_ticks"] - own["system_ticks"]
    result["own_user_share"] = user / (user + system) if user + system else 0
    result["backend_cpu_s"] = (backend_after["cpu_ns"] - other["cpu_ns"]) / 1e9
    result["load_cpu_s"] = _children_cpu() - children
    result["machine_cpu_s"] = (machine_ticks() - machine) / TICKS
    result["wall_s"] = time.monotonic() - start
    result["foreign_cpu_s"] = max(0.0, result["machine_cpu_s"] - result["own_cpu_s"] -
                                  result["backend_cpu_s"] - result["load_cpu_s"])
    result["peak_rss_kb"] = server.peak_rss_kb()
    return result


def _children_cpu():
    """CPU of ended children: the load generators, which alone are waited for during a slice."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
