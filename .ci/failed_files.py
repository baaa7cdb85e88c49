"""The test files in which something failed, one a line, as pytest remembers them."""

import json
import sys
from pathlib import Path

REMEMBERED = Path(".pytest_cache/v/cache/lastfailed")

names = json.loads(REMEMBERED.read_text()) if REMEMBERED.exists() else {}
sys.stdout.writelines(f"{file}\n" for file in sorted({name.partition("::")[0] for name in names}))
