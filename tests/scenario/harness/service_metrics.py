"""What the metrics of one service say of its backends."""
from harness.waiting import eventually


class Service:
    """The series of one service."""

    def __init__(self, gateway, name="app"):
        self.gateway, self.name = gateway, name

    def get(self, metric, **labels):
        return self.gateway.metrics().sum(metric, service=self.name, **labels)

    def total(self, what, **labels):
        return self.get(f"doorward_service_{what}_total", **labels)

    def ended(self, expected):
        """Waits until as many attempts have ended with each status as is told, and no others."""
        def probe():
            samples = self.gateway.metrics().samples
            found = {labels["status"]: value for name, labels, value in samples
                     if name == "doorward_service_requests_total" and value != 0
                     and labels["service"] == self.name}
            return found == expected
        eventually(probe, f"attempts that ended as {expected}")
        assert self.get("doorward_service_in_flight") == 0
        return self

    def observed(self, histogram):
        """How many were observed, and their seconds together."""
        return self.get(histogram + "_count"), self.get(histogram + "_sum")
