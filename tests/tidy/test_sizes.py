"""File heads and sizes. ratchet.txt lists what is larger than allowed today; it may only shrink:
growth fails, and so does an entry that is no longer needed."""
import re

from sources import FOLDERS, ROOT, name_of, source_files

FILE_LINES, FUNCTION_LINES = 400, 70
RATCHET = ROOT / "tests/tidy/ratchet.txt"
# What opens a block that is no function of its own; what is inside it is looked at.
OUTER = re.compile(r"\s*(template\b.*>\s*)?(namespace|class|struct|enum|union|extern)\b|^\s*$")


def functions(lines):
    """(name, length) of each function of formatted code, without those inside functions: its head
    ends in "{", and its end is the "}" at the margin where the head began."""
    i = 0
    while i < len(lines):
        first, head = _head(lines, i)
        if not lines[i].endswith("{") or OUTER.match(head) or "(" not in head:
            i += 1
            continue
        margin = re.match(" *", lines[first])[0]
        end = next((j for j in range(i + 1, len(lines)) if lines[j].startswith(margin + "}")),
                   len(lines) - 1)
        yield re.search(r"([\w~:]+)\(|\(", head)[1] or "", end - first + 1
        i = end + 1


def _head(lines, i):
    """Where the statement that ends in line i began, and its words."""
    first = i
    while first > 0 and not re.search(r"(^|[;{}:]|^\s*(//|#).*)$", lines[first - 1]):
        first -= 1
    return first, " ".join(line.strip() for line in lines[first:i + 1])


def offenders():
    found = {}
    for path in source_files(*FOLDERS):
        lines = path.read_text().splitlines()
        if len(lines) > FILE_LINES:
            found[name_of(path)] = len(lines)
        for name, length in functions(lines):
            if length > FUNCTION_LINES:
                found[f"{name_of(path)}:{name}"] = length
    return found


def ratchet():
    entries = (line.rsplit(" ", 1) for line in RATCHET.read_text().splitlines()
               if line and not line.startswith("#"))
    return {name: int(lines) for name, lines in entries}


def test_files_and_functions_stay_small():
    allowed = ratchet()
    grown = [f"{name}: {lines} lines; allowed {allowed.get(name, 'none above the limit')}"
             for name, lines in offenders().items() if lines > allowed.get(name, 0)]
    assert not grown, "\n".join(grown)


def test_the_ratchet_only_shrinks():
    today = offenders()
    needless = [name for name in ratchet() if name not in today]
    assert not needless, "take these out of tests/tidy/ratchet.txt:\n" + "\n".join(needless)


def test_files_begin_with_what_they_are():
    """Headers, and programs of their own; a .cc beside its header may leave it to that."""
    bare = []
    for path in source_files(*FOLDERS):
        alone = path.suffix == ".cc" and not path.name.endswith("_test.cc") and (
            path.parent.name != "policy" and not path.with_suffix(".h").exists())
        if (path.suffix == ".h" or alone) and not path.read_text().startswith("//"):
            bare.append(name_of(path))
    assert not bare, "no comment at the head of:\n" + "\n".join(bare)


def test_headers_are_included_once():
    bare = [name_of(p) for p in source_files(*FOLDERS)
            if p.suffix == ".h" and "#pragma once" not in p.read_text()]
    assert not bare, bare


def test_lengths_are_counted():
    text = ["int f(int a) {", "  if (a) {", "    b();", "  }", "}", "struct S {", "  S(int a)",
            "      : a_(a) {", "    h();", "  }", "};"]
    assert list(functions(text)) == [("f", 5), ("S", 4)]
