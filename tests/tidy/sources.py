"""The files that the tidy tests look at."""
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
SRC = ROOT / "src"
FOLDERS = ("src", "bench", "tests/fuzz", "examples")


def source_files(*folders):
    for folder in folders or ("src",):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".h", ".cc"):
                yield path


def layer_of(path):
    return path.relative_to(SRC).parts[0]


def name_of(path):
    return str(path.relative_to(ROOT))
