"""Looking for garbage more rarely ends with its reason."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from credential_rotation.inventory.garbage import NEW_OBJECTS, rarely_looked_for


@pytest.fixture
def kept() -> Iterator[None]:
    """What the process had."""
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


@pytest.mark.parametrize("usual", [700, 2_000, 10 * NEW_OBJECTS, 0])
@pytest.mark.usefixtures("kept")
def test_it_is_as_it_was_afterwards_and_never_looked_for_more_often(usual: int) -> None:
    """Also when the work fails; 0 is somebody's switching it off."""
    gc.set_threshold(usual, 10, 10)
    with pytest.raises(ZeroDivisionError), rarely_looked_for():
        _fail_inside(0 if usual == 0 else max(usual, NEW_OBJECTS))
    assert gc.get_threshold()[0] == usual


def _fail_inside(expected: int) -> None:
    assert gc.get_threshold()[0] == expected
    raise ZeroDivisionError
