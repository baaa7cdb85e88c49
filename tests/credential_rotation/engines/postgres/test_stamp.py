"""The marked line in a role's comment."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credential_rotation.engines.postgres.stamp import MARK, stamp_in, with_stamp
from credential_rotation.model import Stamp

WORDS = st.from_regex(r"[0-9A-Za-z_-]{1,40}", fullmatch=True)
STAMPS = st.builds(Stamp, st.integers(0, 999_999_999), WORDS, WORDS)
THEIRS = st.text().filter(lambda text: MARK not in text)
OURS = f"{MARK} epoch=000007 attempt=ab12 journal=5f0c-1e"


def test_the_line_reads_as_documented() -> None:
    """The stamp is this very line, which people and other versions of us read."""
    assert with_stamp(None, Stamp(7, "ab12", "5f0c-1e")) == OURS
    assert stamp_in(f"theirs\n{OURS}\nmore") == Stamp(7, "ab12", "5f0c-1e")


@given(before=THEIRS, after=THEIRS, first=STAMPS, second=STAMPS)
def test_a_persons_text_survives_every_stamp(before: str, after: str, first: Stamp, second: Stamp) -> None:
    """Whatever people wrote above and below the line is there to the byte after the next stamp."""
    once = with_stamp(before, first)
    assert stamp_in(once) == first
    assert once.startswith(before)
    twice = with_stamp(f"{once}\n{after}", second)
    assert stamp_in(twice) == second
    assert twice == f"{with_stamp(before, second)}\n{after}"


@given(comment=st.text(), stamp=STAMPS)
def test_one_stamp_at_most(comment: str, stamp: Stamp) -> None:
    """Stamping twice is stamping once."""
    assert with_stamp(with_stamp(comment, stamp), stamp) == with_stamp(comment, stamp)


@pytest.mark.parametrize(
    "comment",
    [None, "", "theirs", OURS[:-5].rsplit(" ", 1)[0], OURS.upper(), f" {OURS}", f"{OURS} and more"],
)
def test_what_is_not_the_line_is_no_stamp(comment: str | None) -> None:
    """A missing or damaged line is no stamp; a missing stamp is not a foreign one."""
    assert stamp_in(comment) is None


def test_a_damaged_line_is_replaced() -> None:
    """The next stamp takes the place of a line of ours that cannot be read."""
    assert with_stamp(f"a\n{MARK} epoch=?\nb\n{OURS}", Stamp(7, "ab12", "5f0c-1e")) == f"a\n{OURS}\nb"


def test_a_stamp_that_could_not_be_read_again_is_not_written() -> None:
    """A stamp with spaces in it would be lost on the way back."""
    with pytest.raises(ValueError, match="plain words"):
        with_stamp(None, Stamp(1, "a b", "j"))
