"""A run's configuration of any type in any place means something, or is refused with a message."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from credential_rotation.errors import BadInput
from scenes.hostile import CONTROL, PIECES

if TYPE_CHECKING:
    from credential_rotation.tasks.trigger_form import Wish

pytest_plugins = ["scenes.airflow.imported"]
pytestmark = pytest.mark.usefixtures("airflow")

AT = datetime(2026, 11, 25, 12, tzinfo=timezone.utc)
NAMES = ["credentials", "reason", "not_before", "force", "dry_run"]
WORDS = st.lists(st.sampled_from([*PIECES, *CONTROL, "\0", "\ud800"]) | st.characters(), max_size=5).map(
    "".join
)
MOMENTS = st.sampled_from(
    [
        *("2026-11-28T02:00:00Z", "2026-11-28", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"),
        *("20261128T02Z", "2026-W48-6T02:00Z", "now", "Z", "2026-11-28T02:00:00+00:00:00.000001"),
    ]
)
SCALARS: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS | MOMENTS | st.just("x" * 501)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)
CONFIGURATIONS = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=5) | st.dictionaries(
    WORDS | st.sampled_from(NAMES), VALUES, max_size=3
)
AS_FORM: dict[str, Any] = {
    "credentials": [],
    "reason": None,
    "not_before": None,
    "force": False,
    "dry_run": False,
}


@settings(
    max_examples=300,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(conf=CONFIGURATIONS, by=st.none() | WORDS)
@example(conf={"not_before": "0001-01-01T00:00:00+23:59", "credentials": ["a"]}, by="kim")
@example(conf={"not_before": "9999-12-31T23:59:59-23:59", "credentials": ["a"]}, by="kim")
@example(conf={"not_before": 10**5000}, by="kim")
@example(conf={"\x1b[31m\n": 1}, by="kim")
def test_any_configuration_is_read_or_refused(conf: dict[str, Any], by: str | None) -> None:
    """Never another error; the message is words on one line each, and says what to do."""
    from credential_rotation.tasks.trigger_form import wish_of  # noqa: PLC0415 - after Airflow's home is set

    try:
        wish = wish_of(conf, {**AS_FORM, **conf}, at=AT, by=by)
    except BadInput as wrong:
        refusal = wrong
    else:
        _means_something(wish)
        return
    assert refusal.next_step
    assert all(line.isprintable() for line in str(refusal).split("\n"))


def _means_something(wish: Wish) -> None:
    assert all(isinstance(name, str) and name for name in wish.names)
    assert isinstance(wish.dry_run, bool)
    assert isinstance(wish.request.force, bool)
    assert wish.request.reason is None or len(wish.request.reason) <= 500
    assert wish.request.reason is None or wish.request.reason.isprintable()
    assert not wish.request.force or (wish.names and wish.request.reason)
    if wish.request.not_before is not None:
        assert wish.request.not_before.utcoffset() is not None
        assert wish.request.not_before.astimezone(timezone.utc) == wish.request.not_before
