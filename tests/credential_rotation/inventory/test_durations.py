"""Durations as people write them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from credential_rotation.errors import BadInput
from credential_rotation.times.durations import parse_duration, write_duration

WRITTEN = {
    "1w": timedelta(weeks=1),
    "90d": timedelta(days=90),
    "12h": timedelta(hours=12),
    "15m": timedelta(minutes=15),
}


@pytest.mark.parametrize(("text", "length"), WRITTEN.items())
def test_a_duration_is_read_and_said_the_same_way(text: str, length: timedelta) -> None:
    """What a person wrote is what they read later."""
    assert (parse_duration(text), write_duration(length)) == (length, text)


@pytest.mark.parametrize(
    "text", ["", "0d", "-1d", "1", "d", "1.5d", "1D", " 1d", "1d ", "1d\n", "1d12h", "٣d", "100000d", "1s"]
)
def test_everything_else_is_refused(text: str) -> None:
    """Zero, signs, fractions, two units and other digits are no durations."""
    with pytest.raises(BadInput, match="is not a duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("length", "text"), [(timedelta(hours=25), "25h"), (timedelta(days=14), "2w"), (timedelta(0), "0m")]
)
def test_the_largest_unit_that_fits_is_said(length: timedelta, text: str) -> None:
    """25 hours are not rounded to a day."""
    assert write_duration(length) == text
