"""tally.py NAME STATUS FOLDER: counts the JUnit files of a stage in one line,
`NAME: N passed, N failed`; a bad status that no file explains is a failure too."""
import pathlib
import sys
import xml.etree.ElementTree as xml


def count(folder):
    tests = failed = skipped = 0
    for path in sorted(pathlib.Path(folder).glob("*.xml")):
        root = xml.parse(path).getroot()
        for suite in root.iter("testsuite"):
            tests += int(suite.get("tests", 0))
            failed += int(suite.get("failures", 0)) + int(suite.get("errors", 0))
            skipped += int(suite.get("skipped", 0))
            skipped += int(suite.get("disabled", 0) or 0)
    return tests, failed, skipped


def main():
    name, status, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    tests, failed, skipped = count(folder)
    passed = tests - failed - skipped
    if status != 0 and failed == 0:
        failed = 1
    if tests == 0 and failed == 0:
        passed = 1
    line = f"{name}: {passed} passed, {failed} failed"
    print(line + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
