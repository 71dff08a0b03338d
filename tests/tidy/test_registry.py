"""Every policy's folder stands once in policy/registry.cc."""
import re

from sources import SRC


def test_every_policy_is_registered_once():
    registry = (SRC / "policy/registry.cc").read_text()
    folders = sorted(p.name for p in (SRC / "policy").iterdir()
                     if p.is_dir() and p.name != "testing")
    included = re.findall(r'#include "policy/(\w+)/\1\.h"', registry)
    added = re.findall(r"r\.add<\w+>\(k(\w+)Schema\)", registry)
    assert sorted(included) == folders
    assert sorted(re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower() for name in added) == folders
