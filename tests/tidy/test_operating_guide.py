"""docs/guide/operating.md tells every event, and every field of the access log; docs/guide/http2.md
why a connection ends."""
import re

from sources import ROOT, SRC, source_files

GUIDE = (ROOT / "docs/guide/operating.md").read_text()
NAME = r'"([a-z][a-z0-9_]+)"'
# A call of the log; the log's own event; the findings of certificates, whose codes are events too.
TOLD = re.compile(r"\bevents(?:_|\(\))?\.(?:(?:debug|info|warning|error)\(|write\(\w+,)\s*" + NAME)
ELSEWHERE = {
    "observe/event_log.cc": r"rest_of\(Level::\w+, " + NAME,
    "tls/certificate_checks.cc": r'"((?:certificate|ca|crl)_[a-z_]+)"',
}
# One whose name is no literal.
COMPUTED = re.compile(r"\bevents(?:_|\(\))?\.(?:debug|info|warning|error)\(\s*[^\s\"]")


def sources():
    for path in source_files():
        if not path.name.endswith("_test.cc") and "testing" not in path.parts:
            yield str(path.relative_to(SRC)), path.read_text()


def events_in_source():
    found = set()
    for name, text in sources():
        found |= set(TOLD.findall(text))
        if name in ELSEWHERE:
            more = re.findall(ELSEWHERE[name], text)
            assert more, f"{name}: its events are written in another way now"
            found |= set(more)
    return found


def table(head):
    """The first cells of a table, which may name several."""
    rows = GUIDE.split(f"\n| {head} | ", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    return [name for row in rows for name in re.findall(r"`(\w+)`", row.split(" | ")[0])]


def test_every_event_stands_in_the_guide():
    listed = table("event")
    assert len(listed) == len(set(listed))
    assert set(listed) == events_in_source()


def test_events_are_found_where_they_are_written():
    found = events_in_source()
    assert {"ready", "start_failed", "access_log_lines_lost", "shadow_reply", "accept_failed",
            "backend_http2_broken", "name_resolved", "ocsp_failed", "reload_failed"} <= found
    computed = [name for name, text in sources() if COMPUTED.search(text)]
    assert computed == ["app/tls_upkeep.cc"]  # the findings of certificates


def test_every_field_of_the_access_log_stands_in_the_guide():
    record = (SRC / "observe/access_record.h").read_text().split("kAccessFields = {{", 1)[1]
    fields = re.findall(r"^    \{" + NAME, record, re.M)
    assert len(fields) > 20
    assert table("field") == fields


def test_every_reason_of_http2_stands_in_its_guide():
    guide = (ROOT / "docs/guide/http2.md").read_text()
    abuses = re.findall(r"^  X\((\w+),", (SRC / "codec/h2/guard.h").read_text(), re.M)
    session = (SRC / "codec/h2/session.cc").read_text().split("kOtherReasons = {", 1)[1]
    others = re.findall(NAME, session.split("};", 1)[0])
    assert len(abuses) > 5 and len(others) > 3
    missing = [word for word in abuses + others if f"`{word}`" not in guide]
    assert not missing, "not in docs/guide/http2.md: " + ", ".join(missing)
