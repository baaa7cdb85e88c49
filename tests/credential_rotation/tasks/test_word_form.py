"""The form on which people say what they have done by hand: nothing is guessed, nothing is ignored."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from credential_rotation.errors import BadInput
from scenes.hostile import CONTROL, PIECES
from scenes.inventory.entries import folder, simple

if TYPE_CHECKING:
    from credential_rotation.tasks.word_form import Said

pytest_plugins = ["scenes.airflow.imported"]
pytestmark = pytest.mark.usefixtures("airflow")

SIGNING_KEY = """\
  - name: signing-key
    engine: manual
    policy: {max_age: 90d}
    owner: platform
    instructions: Make a new one in the HSM.
"""
CLOSE = {"credential": "signing-key", "done": "close", "reason": "made anew"}
CONFIRM = {"credential": "billing", "done": "confirm"}


def said(conf: dict[str, Any]) -> Said:
    from credential_rotation.tasks.word_form import said_in  # noqa: PLC0415 - after Airflow's home is set

    return said_in(conf, conf)


def refusal(conf: dict[str, Any]) -> str:
    with pytest.raises(BadInput) as wrong:
        said(conf)
    assert wrong.value.next_step
    return wrong.value.what


def form(environ: dict[str, str]) -> dict[str, dict[str, Any]]:
    """The form's fields as JSON Schema."""
    from credential_rotation.tasks.word_form import word_params  # noqa: PLC0415 - after Airflow's home is set

    return {name: {"param": param, **param.schema} for name, param in word_params(environ).items()}


# --- what was said --------------------------------------------------------------------------------------


def test_a_change_is_said_with_a_reason_and_perhaps_a_day() -> None:
    """In UTC; left out it was when the run was asked for."""
    word = said({**CLOSE, "reason": " made anew ", "changed_on": "2026-09-01", "unchanged": True})
    assert (word.name, word.done, word.reason) == ("signing-key", "close", "made anew")
    assert (word.changed, word.unchanged) == (datetime(2026, 9, 1, tzinfo=timezone.utc), True)
    assert said(CLOSE).changed is None


def test_a_value_that_was_handed_on_is_said_of_one_consumer_and_perhaps_one_version() -> None:
    """A remark may be made; nothing of it is required."""
    word = said({**CONFIRM, "consumer": "Looker", "version": 7, "reason": "in its settings"})
    assert (word.name, word.consumer, word.version, word.reason) == (
        "billing",
        "Looker",
        7,
        "in its settings",
    )
    assert (said(CONFIRM).consumer, said(CONFIRM).version) == (None, None)


def test_the_form_left_empty_where_it_may_be_is_read_as_not_said() -> None:
    """As Airflow sends it: each field, with nothing in it."""
    empty = {"reason": None, "consumer": None, "version": None, "changed_on": None, "unchanged": False}
    assert said({**empty, **CLOSE}) == said(CLOSE)
    assert said({**empty, **CONFIRM, "consumer": " "}) == said(CONFIRM)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no credential": ({"done": "close", "reason": "x"}, "no credential is chosen"),
    "several at once, which the commands do not take either": (
        {**CLOSE, "credential": ["a", "b"]},
        "`credential` is not a name",
    ),
    "nothing done": ({"credential": "a"}, "`done` is neither close nor confirm"),
    "something else done": ({**CLOSE, "done": "rotate"}, "`done` is neither close nor confirm"),
    "a close without a reason": ({**CLOSE, "reason": None}, "a close needs a reason, and none was given"),
    "a close with a blank reason": ({**CLOSE, "reason": " "}, "a close needs a reason, and none was given"),
    "a close of a consumer": (
        {**CLOSE, "consumer": "Looker", "version": 1},
        "`consumer`, `version` would mean nothing with `done: close`",
    ),
    "a confirmation for a day": (
        {**CONFIRM, "changed_on": "2026-09-01", "unchanged": True},
        "`changed_on`, `unchanged` would mean nothing with `done: confirm`",
    ),
    "a consumer that is no name": ({**CONFIRM, "consumer": 7}, "`consumer` is not a name"),
    "a version that is none": ({**CONFIRM, "version": "7"}, "`version` is not a version"),
    "a version that is a switch": ({**CONFIRM, "version": True}, "`version` is not a version"),
    "a version below all": ({**CONFIRM, "version": -1}, "`version` is not a version"),
    "a moment for a day": ({**CLOSE, "changed_on": "2026-09-01T10:00:00Z"}, "`changed_on` is not a day"),
    "a day that is none": ({**CLOSE, "changed_on": "2026-02-30"}, "`changed_on` is not a day"),
    "a day in words": ({**CLOSE, "changed_on": "yesterday"}, "`changed_on` is not a day"),
    "a switch that is a text": ({**CLOSE, "unchanged": "no"}, "`unchanged` is neither true nor false"),
    "who says it": ({**CLOSE, "by": "ben"}, "unknown in the run's configuration: by"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_mean_anything_is_refused(case: str) -> None:
    """Through the API as in the form, and with what to do instead."""
    conf, says = REFUSED[case]
    assert refusal(conf) == says


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(
        ["close", "confirm", "2026-09-01", "9999-12-31", "\u0660" * 4, "x" * 501, *PIECES, *CONTROL]
    )
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=4,
)
FIELDS = ["credential", "done", "reason", "consumer", "version", "changed_on", "unchanged"]


@settings(
    max_examples=300,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    conf=st.dictionaries(st.sampled_from(FIELDS), VALUES)
    | st.dictionaries(st.text(max_size=5) | st.sampled_from(FIELDS), VALUES),
    sound=st.sampled_from([{}, CLOSE, CONFIRM]),
)
def test_any_configuration_is_read_or_refused(conf: dict[str, Any], sound: dict[str, Any]) -> None:
    """Never another error; the message is words on one line."""
    try:
        word = said({**sound, **conf})
    except BadInput as wrong:
        refused = wrong
    else:
        _means_something(word)
        return
    assert refused.next_step
    assert str(refused).replace("\n", " ").isprintable()


def _means_something(word: Said) -> None:
    assert word.name
    assert word.reason or word.done == "confirm"
    assert word.changed is None or word.changed.utcoffset() is not None


# --- the form -------------------------------------------------------------------------------------------


def test_the_form_offers_what_people_do_by_hand_and_nothing_else(tmp_path: Path) -> None:
    """To choose from, not to type: what no tool can change, and what somebody takes by hand."""
    taken = simple("bi", ", consumers: [{manual: Looker, owner: bi}, {dag: load}]")
    include = folder(tmp_path, a="credentials:\n" + simple("etl") + taken + SIGNING_KEY)
    fields = form({"ROTATION_INCLUDE": str(include)})
    assert list(fields) == [
        "credential", "done", "reason", "consumer", "version", "changed_on", "unchanged",
    ]  # fmt: skip
    assert fields["credential"]["enum"] == ["bi", "signing-key"]
    assert fields["consumer"]["examples"] == ["Looker"]
    assert fields["done"]["enum"] == ["close", "confirm"]


def test_what_the_form_asks_for_airflow_insists_on(tmp_path: Path) -> None:
    """Credential and what was done have no default; all else may be left out, and means nothing then."""
    from airflow.sdk.exceptions import ParamValidationError  # noqa: PLC0415 - after Airflow's home is set

    fields = form({"ROTATION_INCLUDE": str(folder(tmp_path, a="credentials:\n" + SIGNING_KEY))})
    for name in ("credential", "done"):
        with pytest.raises(ParamValidationError):
            fields[name]["param"].resolve()
    with pytest.raises(ParamValidationError):
        fields["credential"]["param"].resolve(value="etl")
    others = {
        name: one["param"].resolve() for name, one in fields.items() if name not in {"credential", "done"}
    }
    assert said({**others, **CLOSE}) == said(CLOSE)


@pytest.mark.parametrize("environ", [{"ROTATION_INCLUDE": "/nowhere"}, {"ROTATION_SETTLE": "soon"}])
def test_wrong_settings_never_break_the_dag(environ: dict[str, str]) -> None:
    """The form opens with a free field; the run tells what is wrong."""
    fields = form(environ)
    assert "enum" not in fields["credential"]
    assert fields["credential"]["type"] == "string"
