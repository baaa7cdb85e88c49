"""Where things lie in this repository."""

from pathlib import Path

TESTS = Path(__file__).parents[1]
ROOT = TESTS.parent
PLUGINS = ROOT / "plugins"
INCLUDE = ROOT / "include"
