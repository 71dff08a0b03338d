"""What must be true of a gateway that nobody uses: nothing is under way, nothing is open, every
request is accounted for, and memory and descriptors are what they were."""
import dataclasses
import time

from harness.waiting import eventually

# Shorter than all timeouts of the configuration: who has left must have been noticed.
REST = 20
GAUGES = ("doorward_connections_open", "doorward_route_in_flight", "doorward_service_in_flight",
          "doorward_service_waiting", "doorward_service_connections_open")
SETTLING = 3  # seconds in which allocators give memory back


@dataclasses.dataclass
class Point:
    """A quiet point."""
    resident: int
    descriptors: int
    requests: int

    def __str__(self):
        return (f"{self.resident >> 10} KiB resident, {self.descriptors} descriptors, "
                f"{self.requests} requests")


def busy(metrics):
    """Every gauge that is not at rest, with its labels."""
    return [sample for sample in metrics.samples if sample[0] in GAUGES and sample[2] != 0]


def quiet_point(gateway):
    """Waits until the gateway is at rest; fails when it does not come to it."""
    try:
        eventually(lambda: not busy(gateway.metrics()), "rest", REST)
    except AssertionError as error:
        raise AssertionError(f"{error}: {busy(gateway.metrics())}") from None
    time.sleep(SETTLING)
    metrics = gateway.metrics()
    assert not busy(metrics), busy(metrics)
    requests = metrics.sum("doorward_requests_total")
    assert metrics.sum("doorward_route_requests_total") == requests
    assert metrics.sum("doorward_access_log_dropped_total") == 0
    assert metrics.sum("doorward_reloads_total", result="failed") == 0
    return Point(gateway.resident(), gateway.descriptors(), int(requests))
