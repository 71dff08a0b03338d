"""The pages that people read are finished."""
import re

from sources import ROOT

PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")]


def test_no_page_has_a_place_still_to_be_filled():
    marked = [f"{page.relative_to(ROOT)}: {mark}" for page in PAGES
              for mark in re.findall(r"@@\w*@@|\bTODO\b|\bFIXME\b|\bTBD\b", page.read_text())]
    assert not marked, marked
