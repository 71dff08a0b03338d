"""Every code that a reply may have stands once in docs/reference/problems.md, which says that it is
complete."""
import re

import pytest

from sources import ROOT, SRC, source_files

CODE = r'"([a-z][a-z0-9_]+)"'
# Where a code is written: in an answer, in an Error's reason, in a constant; and in the tables.
PLACES = [re.compile(place) for place in (
    r"\b(?:reply_with|reply|problem)\(\s*\d{3},\s*" + CODE,
    r"\{\s*\d{3},\s*" + CODE,
    r"\b(?:code|reason) = (?:[^;]*\? )?" + CODE,
    r"\b(?:code|reason) = [^;]*: " + CODE,
    r"Retry::\w+,\s*[^,;]+,\s*" + CODE,
    r'\\"code\\":\\"([a-z][a-z0-9_]+)\\"',
)]
TABLES = {
    "exchange/problems.h": r"Problem\{" + CODE,
    "exchange/reply.cc": r"(?:return|\?|:) " + CODE,
    "http/uri.h": r"\{" + CODE,
    "codec/h1/refusal.h": r"  X\((\w+),",
    "codec/h2/refusal.h": r"  X\((\w+),",
    "tls/reasons.h": r"k\w+ = " + CODE,
    "policy/external_auth/external_auth.cc": r"kUnavailable = " + CODE,
}


def codes_in_source():
    found = {}
    for path in source_files():
        if path.name.endswith("_test.cc") or "testing" in path.parts:
            continue
        name, text = str(path.relative_to(SRC)), path.read_text()
        places = PLACES + ([re.compile(TABLES[name])] if name in TABLES else [])
        for place in places:
            for code in place.findall(text):
                found.setdefault(code, set()).add(name)
    return found


def codes_on_the_page():
    page = (ROOT / "docs/reference/problems.md").read_text()
    return re.findall(r"^\| `(\w+)` \|", page, re.M)


def codes_of_section(title):
    page = (ROOT / "docs/reference/problems.md").read_text()
    section = page.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]
    return re.findall(r"^\| `(\w+)` \|", section, re.M)


def codes_of_table(name):
    return re.findall(TABLES[name], (SRC / name).read_text())


def test_every_code_stands_on_the_page():
    listed = codes_on_the_page()
    missing = [f"{code} ({', '.join(sorted(names))})" for code, names in codes_in_source().items()
               if code not in listed]
    assert not missing, "not in docs/reference/problems.md: " + ", ".join(sorted(missing))


def test_no_code_stands_there_twice():
    """But for the one that is both a reply and a reason of TLS."""
    listed = codes_on_the_page()
    assert {code for code in listed if listed.count(code) > 1} == {"tls_plain_http"}


@pytest.mark.parametrize("title,name", [("Malformed HTTP/2", "codec/h2/refusal.h"),
                                        ("TLS", "tls/reasons.h")])
def test_a_section_lists_its_table(title, name):
    assert codes_of_section(title) == codes_of_table(name)


def test_codes_are_found_where_they_are_written():
    found = codes_in_source()
    assert TABLES.keys() <= set().union(*found.values())
    assert {"no_route", "body_timeout", "too_many_connections", "auth_unavailable",
            "connect_timeout", "path_above_root", "request_too_slow"} <= found.keys()
    assert len(found) > 80
