"""What holds for all tests.

- The files that take minutes begin first: no worker is left with one of them when the others are done.
- No example of Hypothesis's fails by its wall time: cores are shared. What measures speed says so (`alone`).
"""

from __future__ import annotations

import pytest
from hypothesis import settings

settings.register_profile("any machine", settings(), deadline=None)
settings.load_profile("any machine")

LONG = (
    *("tests/airflow/", "tests/browser/", "tests/faults/test_campaign.py", "tests/faults/test_leaks.py"),
    *("tests/credential_rotation/attempt/test_two_runners.py", "tests/faults/test_vault_trouble.py"),
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The order in which xdist hands files out (`--no-loadscope-reorder`)."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONG))
