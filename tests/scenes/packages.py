"""What pip does not bring: a system package that some tests need."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def is_missing(package: str) -> NoReturn:
    """Named as not run; red where `.ci/run` was to install it, which sets CI."""
    if os.environ.get("CI"):
        pytest.fail(f"{package} is not installed")
    pytest.skip(f"not run: {package} is not installed (apt-get install {package})")
