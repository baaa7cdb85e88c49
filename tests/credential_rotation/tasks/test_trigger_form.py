"""The trigger form, and what a run was asked for: nothing is guessed, nothing is ignored."""

from __future__ import annotations

import copy
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from credential_rotation.errors import BadInput
from credential_rotation.policy import Request
from sandbox.places import ROOT
from scenes.inventory.entries import folder, simple

if TYPE_CHECKING:
    from credential_rotation.tasks.trigger_form import Wish

pytest_plugins = ["scenes.airflow.imported"]
pytestmark = pytest.mark.usefixtures("airflow")

AT = datetime(2026, 11, 25, 12, tzinfo=timezone.utc)
ENGINES = ("postgres",)


def wish(*, by: str | None = "kim", conf: dict[str, Any] | None = None, **params: Any) -> Wish:  # noqa: ANN401 - whatever Airflow hands over
    from credential_rotation.tasks.trigger_form import wish_of  # noqa: PLC0415 - after Airflow's home is set

    return wish_of(params if conf is None else conf, params, at=AT, by=by)


def form(kind: str, environ: dict[str, str]) -> dict[str, Any]:
    """The form's fields as JSON Schema."""
    from credential_rotation.tasks import trigger_form  # noqa: PLC0415 - after Airflow's home is set

    params = getattr(trigger_form, kind)(ENGINES, environ)
    return {
        name: {"value": param.value, "description": param.description, **param.schema}
        for name, param in params.items()
    }


def refusal(**params: Any) -> str:  # noqa: ANN401 - whatever Airflow hands over
    with pytest.raises(BadInput) as wrong:
        wish(**params)
    assert wrong.value.next_step
    return wrong.value.what


# --- what a run was asked for ---------------------------------------------------------------------------


def test_a_scheduled_run_wants_what_is_due() -> None:
    """No names, no hurry."""
    asked = wish(by=None)
    assert (asked.names, asked.dry_run) == ((), False)
    assert asked.request == Request(at=AT, by="schedule")


def test_the_form_left_as_it_was_wants_what_is_due_too() -> None:
    """A person who chooses nothing forces nothing."""
    asked = wish(credentials=[], reason=None, force=False, dry_run=False)
    assert asked.names == ()
    assert asked.request == Request(at=AT, by="kim")


def test_chosen_names_are_wanted_now_since_the_run_was_asked_for() -> None:
    """In the order of choice, each once; a retried task asks with the same moment."""
    asked = wish(credentials=["b", "a", "b"], reason=" audit ")
    assert asked.names == ("b", "a")
    assert asked.request == Request(at=AT, by="kim", now=True, reason="audit")


def test_forced_with_names_and_a_reason_goes_through() -> None:
    """And a dry run stays one."""
    asked = wish(credentials=["a"], reason="a laptop was lost", force=True, dry_run=True)
    assert asked.dry_run
    assert asked.request.force


@pytest.mark.parametrize("reason", [None, "", "  "], ids=["none", "empty", "blank"])
def test_forced_without_a_reason_is_refused(reason: str | None) -> None:
    """Through the API as in the form."""
    assert "needs a reason" in refusal(credentials=["a"], force=True, reason=reason)


def test_forced_without_names_is_refused() -> None:
    """Never all of them by an empty list."""
    assert "no credential is chosen" in refusal(credentials=[], force=True, reason="audit")
    assert "no credential is chosen" in refusal(force=True, reason="audit")


def test_all_unknown_keys_are_told_at_once() -> None:
    """A misspelt key would be a rotation that nobody asked for, or none."""
    said = refusal(conf={"credential": ["a"], "credentials": ["a"], "Force": True}, credentials=["a"])
    assert said == "unknown in the run's configuration: Force, credential"


@pytest.mark.parametrize(
    "given",
    ["a", {"a": 1}, ["a", 1], ["a", None], ["a", ""], 3, ["a\n12:00 INFO a: rotated"], ["\x1b[2K"]],
    ids=repr,
)
def test_names_that_are_no_list_of_names_are_refused(given: object) -> None:
    """A bare text would be read letter by letter; what is no name could be taken for the log's own words."""
    assert refusal(credentials=given) == "`credentials` is not a list of names"


@pytest.mark.parametrize("name", ["force", "dry_run", "revoke"])
@pytest.mark.parametrize("given", ["false", "true", 1, 0, None], ids=repr)
def test_switches_are_true_or_false(name: str, given: object) -> None:
    """The text "false" is not taken for yes, nor for no."""
    assert refusal(credentials=["a"], **{name: given}) == f"`{name}` is neither true nor false"


@pytest.mark.parametrize("given", [5, ["x"], True, "x" * 501], ids=["number", "list", "switch", "too long"])
def test_a_reason_is_a_text_that_somebody_will_read(given: object) -> None:
    """What the form asks, the task enforces."""
    assert refusal(credentials=["a"], reason=given).startswith("`reason` is not a text")


# --- the form -------------------------------------------------------------------------------------------


def test_the_form_offers_the_names_of_the_inventory(tmp_path: Path) -> None:
    """To choose from, not to type."""
    include = folder(tmp_path, a="credentials:\n" + simple("etl") + simple("bi"))
    fields = form("rotation_params", {"ROTATION_INCLUDE": str(include)})
    assert list(fields) == ["credentials", "reason", "not_before", "force", "dry_run", "revoke"]
    assert fields["credentials"]["items"] == {"type": "string", "enum": ["etl", "bi"]}
    assert fields["credentials"]["examples"] == ["etl", "bi"]


def test_names_are_not_copied_for_each_task(tmp_path: Path) -> None:
    """Airflow copies the form for every task of a DAG: ten thousand names took it 6 ms a time."""
    from credential_rotation.tasks.trigger_form import choice_params  # noqa: PLC0415 - after Airflow's home is set

    include = folder(tmp_path, a="credentials:\n" + simple("etl") + simple("bi"))
    schema = choice_params(ENGINES, {"ROTATION_INCLUDE": str(include)})["credentials"].schema
    copied = copy.deepcopy(schema)
    assert copied["examples"] is schema["examples"]
    assert copied["items"]["enum"] is schema["items"]["enum"]


@pytest.mark.parametrize("kind", ["rotation_params", "choice_params"])
def test_the_form_says_what_becomes_of_a_run_of_a_paused_dag(kind: str) -> None:
    """E5: before somebody sends it and waits."""
    fields = form(kind, {"ROTATION_INCLUDE": "/nowhere"})
    assert "paused, a run of it stays queued" in fields["credentials"]["description"]


def test_the_form_says_when_it_wants_a_reason() -> None:
    """Both switches whose run is refused without one, before somebody sends it."""
    fields = form("rotation_params", {"ROTATION_INCLUDE": "/nowhere"})
    assert "Required when forced, and in compromise mode" in fields["reason"]["description"]
    assert all("Needs a reason" in fields[name]["description"] for name in ("force", "revoke"))


@pytest.mark.parametrize("place", ["rotate_database_credentials", "rotate_cloud_credentials", "README"])
def test_whoever_installs_it_reads_that_nothing_rotates_yet(place: str) -> None:
    """E5: on the page of each DAG that is paused at first, and where the readme says to unpause them."""
    file = ROOT / "README.md" if place == "README" else ROOT / "dags" / f"{place}.py"
    text = " ".join(file.read_text().split())
    assert "until it is unpaused" in text or "until then nothing rotates" in text
    assert "triggered" in text
    assert "stays queued" in text


def test_the_form_as_it_opens_is_a_valid_request(tmp_path: Path) -> None:
    """Pressing the button without a choice is what the schedule does."""
    fields = form("rotation_params", {"ROTATION_INCLUDE": str(folder(tmp_path))})
    values = {name: one["value"] for name, one in fields.items()}
    assert values == {
        "credentials": [],
        "reason": None,
        "not_before": None,
        "force": False,
        "dry_run": False,
        "revoke": False,
    }
    assert wish(**values).request.now is False


def test_a_moment_to_wait_for_has_a_time_zone() -> None:
    """What the form and people write; a moment without a zone could mean any of 38."""
    asked = wish(credentials=["etl"], not_before="2026-11-28T02:00:00Z").request
    assert asked.not_before == datetime(2026, 11, 28, 2, tzinfo=timezone.utc)
    for wrong in ("2026-11-28T02:00:00", "tomorrow", 5):
        assert "not_before" in refusal(credentials=["etl"], not_before=wrong)


def test_a_form_that_begins_nothing_asks_only_which() -> None:
    """Of retiring and verifying."""
    assert list(form("choice_params", {"ROTATION_INCLUDE": "/nowhere"})) == ["credentials"]


@pytest.mark.parametrize("text", ["credentials: [", "credentials:\n" + simple("etl") + "  - {name: bi}\n"])
def test_a_broken_inventory_never_breaks_the_dag(tmp_path: Path, text: str) -> None:
    """The form opens, with the good names; the run tells what is wrong."""
    include = folder(tmp_path, a=text)
    offered = form("rotation_params", {"ROTATION_INCLUDE": str(include)})["credentials"]["examples"]
    assert offered == (["etl"] if "etl" in text else [])


@pytest.mark.parametrize("environ", [{"ROTATION_INCLUDE": "/nowhere"}, {"ROTATION_SETTLE": "soon"}])
def test_wrong_settings_never_break_the_dag(environ: dict[str, str]) -> None:
    """The form opens with a free list; the run tells what is wrong."""
    items = form("rotation_params", environ)["credentials"]["items"]
    assert items["type"] == "string"


def test_entries_of_other_engines_are_not_offered(tmp_path: Path) -> None:
    """Each rotating DAG has its own engines."""
    from credential_rotation.tasks.trigger_form import rotation_params  # noqa: PLC0415 - after Airflow's home is set

    include = folder(tmp_path, a="credentials:\n" + simple("etl"))
    params = rotation_params(("aws_iam",), {"ROTATION_INCLUDE": str(include)})
    assert params["credentials"].schema["examples"] == []
