"""Include arrows: a file includes its own folder and lower layers, never a sibling or a higher one."""
import re

import pytest

from sources import SRC, layer_of, source_files

# ARCHITECTURE.md draws it.
LAYERS = {
    "base": 0, "text": 1, "loop": 1, "schema": 2, "http": 2, "tls": 3, "observe": 3,
    "codec": 4, "route": 4, "cache": 4, "waf": 4, "translate": 4, "store": 4,
    "upstream": 5, "policy": 6, "handler": 6, "exchange": 7, "config": 8, "admin": 9, "app": 10,
}
INCLUDE = re.compile(r'^#include "([^"]+)"', re.M)
# Arrows that are there on purpose, each with its reason.
ALLOWED = {
    # Fixed responses and redirects fill templates from the exchange as a policy sees it.
    ("handler", "policy/policy.h"),
}


def wrong_arrows(layer, text):
    for included in INCLUDE.findall(text):
        other = included.split("/")[0]
        if included.startswith("../../examples/") or (layer, included) in ALLOWED:
            continue
        if not (SRC / included).exists():
            yield f'"{included}" is no file below src/'
        elif other != layer and LAYERS[other] >= LAYERS[layer]:
            yield f'"{included}" is not below {layer}/'


def test_every_folder_has_a_layer():
    assert {p.name for p in SRC.iterdir() if p.is_dir()} <= LAYERS.keys()


@pytest.mark.parametrize("layer", sorted(p.name for p in SRC.iterdir() if p.is_dir()))
def test_includes_point_downwards(layer):
    wrong = [f"{path.relative_to(SRC)}: {what}" for path in source_files()
             if layer_of(path) == layer for what in wrong_arrows(layer, path.read_text())]
    assert not wrong, "\n".join(wrong)


def test_a_policy_never_sees_another_policy_or_upstream():
    """Of policy/, a policy's folder may use its own files and those that lie beside the folders."""
    wrong = []
    for path in source_files():
        parts = path.relative_to(SRC).parts
        if parts[0] != "policy" or len(parts) < 3 or parts[1] == "testing":
            continue
        for included in INCLUDE.findall(path.read_text()):
            words = included.split("/")
            other = words[0] == "policy" and len(words) > 2 and words[1] not in (parts[1], "testing")
            if other or words[0] in ("upstream", "handler", "exchange"):
                wrong.append(f"{path.relative_to(SRC)} includes {included}")
    assert not wrong, "\n".join(wrong)


def test_a_handler_never_sees_another_handler():
    wrong = []
    for path in source_files():
        parts = path.relative_to(SRC).parts
        for included in INCLUDE.findall(path.read_text()):
            words = included.split("/")
            if parts[0] == words[0] == "handler" and parts[1] != words[1]:
                wrong.append(f"{path.relative_to(SRC)} includes {included}")
    assert not wrong, "\n".join(wrong)


def test_the_arrows_are_judged():
    assert list(wrong_arrows("loop", '#include "loop/task.h"\n#include "base/arena.h"\n')) == []
    assert len(list(wrong_arrows("base", '#include "loop/task.h"\n'))) == 1
    assert len(list(wrong_arrows("text", '#include "loop/task.h"\n'))) == 1
    assert len(list(wrong_arrows("app", '#include "no/such.h"\n'))) == 1
