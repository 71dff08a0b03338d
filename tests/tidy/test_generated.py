"""docs/reference is what `doorward docs` writes, and the schema what `doorward schema` prints."""
import json
import os
import pathlib
import subprocess

import pytest

from sources import ROOT

REFERENCE = ROOT / "docs/reference"
REFRESH = "run scripts/reference and commit what it writes"


@pytest.fixture(scope="module")
def binary():
    chosen = os.environ.get("DOORWARD_BINARY")
    built = [pathlib.Path(chosen)] if chosen else [
        ROOT / "build" / preset / "doorward" for preset in ("asan", "debug", "release")]
    found = next((str(path) for path in built if path.exists()), None)
    if not found:
        pytest.skip("no doorward is built")
    return found


def pages(folder):
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*.md")}


def test_reference_pages_are_up_to_date(binary, tmp_path):
    subprocess.run([binary, "docs", tmp_path], check=True)
    assert pages(tmp_path) == pages(REFERENCE), REFRESH


def test_the_schema_is_up_to_date(binary):
    printed = subprocess.run([binary, "schema"], check=True, capture_output=True, text=True).stdout
    assert json.loads(printed)["$schema"].startswith("https://json-schema.org/")
    assert printed == (REFERENCE / "doorward.schema.json").read_text(), REFRESH


def test_the_schema_takes_the_examples(binary):
    jsonschema, yaml = pytest.importorskip("jsonschema"), pytest.importorskip("yaml")
    schema = json.loads((REFERENCE / "doorward.schema.json").read_text())
    for path in sorted((ROOT / "examples").glob("*/doorward.yaml")):
        jsonschema.Draft202012Validator(schema).validate(yaml.safe_load(path.read_text()))
