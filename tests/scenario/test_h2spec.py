"""h2spec, a conformance suite for HTTP/2 servers, against the gateway: which of its cases fail, and why
that is meant, is argued in docs/guide/http2.md. scripts/test installs it where there is Go."""
import os
import pathlib
import shutil
import subprocess
import xml.etree.ElementTree

import pytest

from harness import config

TOOLS = pathlib.Path(__file__).parents[2] / "build/tools"
H2SPEC = shutil.which("h2spec", path=f"{TOOLS}{os.pathsep}{os.environ['PATH']}")
pytestmark = pytest.mark.skipif(
    H2SPEC is None, reason="h2spec is not installed: no Go here, or it found no module proxy")

CASES = 146
# (section, case) as h2spec names them.
IGNORED = {("http2/5.3.1", "Sends PRIORITY frame that depend on itself")}
# In cleartext what is no preface is HTTP/1.1, and refused in that.
TAKEN_FOR_HTTP1 = {("http2/3.5", "Sends invalid connection preface")}


def cases(report):
    """{(section, case): whether it passed}"""
    return {(case.get("package"), case.get("classname")): not len(case)
            for case in xml.etree.ElementTree.parse(report).iter("testcase")}


@pytest.mark.parametrize("secure", [False, True], ids=["cleartext", "tls"])
def test_h2spec_finds_only_what_is_meant(peers, certificates, secure):
    gateway = peers.gateway(config.proxy(
        peers.origin(), listener=certificates.listener() if secure else None))
    host, _, port = gateway.address().rpartition(":")
    report = peers.folder / "h2spec.xml"
    done = subprocess.run([H2SPEC, "-h", host, "-p", port, "--strict", "-o", "3", "-j", report,
                           *(["-t", "-k"] if secure else [])],
                          capture_output=True, text=True, timeout=300, check=False)
    found = cases(report)
    failed = {case for case, passed in found.items() if not passed}
    meant = IGNORED | (set() if secure else TAKEN_FOR_HTTP1)
    assert (len(found), failed) == (CASES, meant), done.stdout[-8000:]
