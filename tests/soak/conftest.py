"""The soak uses the scenarios' harness."""
import pathlib
import sys

sys.path[:0] = [str(pathlib.Path(__file__).parent),
                str(pathlib.Path(__file__).parents[1] / "scenario")]
