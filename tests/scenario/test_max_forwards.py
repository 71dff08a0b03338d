"""Max-Forwards (RFC 9110 §7.6.2): OPTIONS and TRACE end here at 0 and are counted down otherwise."""
import pytest

from harness.origin import Told


@pytest.mark.parametrize("method", ["OPTIONS", "TRACE"])
def test_it_is_counted_down(web, method):
    with web.client() as client:
        assert Told(client.get("/", "Max-Forwards: 3", method=method)).get("max-forwards") == "2"


def test_options_is_answered_at_0(web):
    with web.client() as client:
        answer = client.get("/", "Max-Forwards: 0", method="OPTIONS")
        assert (answer.status, answer.body) == (200, b"") and "GET" in answer.get("allow")


def test_trace_is_refused_at_0(web):
    with web.client() as client:
        answer = client.get("/", "Max-Forwards: 0", method="TRACE")
        assert answer.status == 405 and answer.json()["code"] == "method_not_allowed"


def test_other_methods_pass_it_on(web):
    with web.client() as client:
        assert Told(client.get("/", "Max-Forwards: 0")).get("max-forwards") == "0"
