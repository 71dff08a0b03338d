"""Prometheus' text format, read strictly enough to catch a broken exposition."""
import re

SAMPLE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? ([-+0-9.eEInfNa]+)\Z')
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|\Z)')


class Metrics:
    """Samples by name; `sum` adds those whose labels include the given ones."""

    def __init__(self):
        self.samples = []  # (name, labels, value)
        self.types = {}

    def names(self):
        return {name for name, _, _ in self.samples}

    def sum(self, name, **labels):
        return sum(value for found, has, value in self.samples
                   if found == name and labels.items() <= has.items())


def parse(text):
    result = Metrics()
    assert text.endswith("\n")
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name not in result.types, f"TYPE of {name} twice"
            result.types[name] = kind
        elif line and not line.startswith("#"):
            found = SAMPLE.match(line)
            assert found, f"not a sample: {line!r}"
            labels = dict(LABEL.findall(found[2] or ""))
            assert LABEL.sub("", found[2] or "") == "", f"bad labels: {line!r}"
            result.samples.append((found[1], labels, float(found[3])))
    return result
