"""What an auditor is shown: each version with who, why and proofs, the sources, what is missing."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from bitwarden_vault.audit.line import Seal
from bitwarden_vault.state_folder import StateFolder
from credential_rotation.approvers import Approval
from credential_rotation.evidence.document import Evidence, controls, document_of
from credential_rotation.evidence.evidence import (
    JOURNAL,
    NOTE,
    STATE,
    Told,
    Version,
    rotations_of,
    since,
    versions_in_note,
)
from credential_rotation.evidence.kept import evidence_kept
from credential_rotation.evidence.page import page
from credential_rotation.evidence.seal import canonical, check, sealed
from credential_rotation.model import Answer, ApprovalRule
from credential_rotation.outcome import Fact, Shows, Step
from credential_rotation.passwords import PasswordRule
from credential_rotation.planning.planning import Known
from credential_rotation.planning.status_rows import status_document
from credential_rotation.policy import Request
from credential_rotation.state.history import Asked, keep_outcome, keep_status
from simulators.scene import ETL, START, Scene

ANNA = Asked(by="anna", why="a <laptop> was lost", dag_id="rotate_database_credentials", run_id="manual__1")
KEY = "k" * 40


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    """Three rotations of a simulated credential, as its attempts leave them."""
    folder = StateFolder(str(tmp_path / "state"))
    environ = {"ROTATION_STATE_PATH": folder.path}
    scene = Scene()
    for number in range(3):
        outcome = scene.rotate_now()
        assert outcome.outcome == "rotated"
        keep_outcome(environ, ETL, outcome, ANNA if number else Asked(by="schedule"), now=START)
    known = {ETL.name: Known((), has_current=True)}
    keep_status(environ, "retire_credentials", status_document([ETL], known, problems=[], now=START))
    return folder


def outcomes(state: StateFolder) -> list[dict[str, Any]]:
    found = (state.read(name) for name in state.names(f"history/{ETL.name}"))
    return [one for one in found if one]


def test_each_version_has_who_why_and_both_proofs(state: StateFolder) -> None:
    """The new value accepted, and the one before refused, as the target answered."""
    found, first, second, _ = rotations_of(Told(outcomes(state)))
    assert (found.version, found.outcome, first.before) == (0, "adopted", 0)
    assert (first.by, second.by, second.why) == ("schedule", "anna", "a <laptop> was lost")
    assert {proof.answer for proof in second.accepted} == {"works"}
    assert [proof.answer for proof in second.old_value] == ["refused"]
    assert (second.before, second.source, second.gaps) == (first.version, STATE, ())
    assert second.old_deleted
    assert first.replaced == second.in_force


def test_what_is_missing_is_a_gap_and_no_proof(state: StateFolder) -> None:
    """A step that is not there proves nothing, whatever the outcome's word."""
    [*_, last] = outcomes(state)
    for left_out, gap in (
        ("old value refused", "is refused is not on record"),
        ("CURRENT", ""),
        ("verified", ""),
    ):
        last = {**last, "steps": [s for s in last["steps"] if not s["step"].startswith(left_out)]}
        [rotation] = rotations_of(Told([last]))
        assert gap in "".join(rotation.gaps) or rotation.before is None
    assert rotation.gaps == ("that the new value logs in is not on record",)


def test_a_failed_consumer_is_a_gap(state: StateFolder) -> None:
    [*_, last] = outcomes(state)
    fact = Fact(Shows.CONSUMER, last["version"], Answer.UNKNOWN, "dag nightly")
    steps = [*last["steps"], Step("consumer unknown", START, fact=fact).as_dict()]
    [rotation] = rotations_of(Told([{**last, "steps": steps}]))
    assert rotation.gaps == ("dag nightly: unknown",)


def test_where_the_state_folder_is_lost_the_vault_still_tells_versions() -> None:
    """And the evidence says that nobody knows who asked and what was proved."""
    told = [
        Version(7, "2026-11-25T12:00:00+00:00", JOURNAL, "a1"),
        *versions_in_note(["2026-11-24 12:00 UTC: version 6", "rubbish", "2026-11-25 12:01 UTC: version 7"]),
    ]
    older, newer = rotations_of(Told((), told))
    assert (older.version, older.source, newer.version, newer.source) == (6, NOTE, 7, JOURNAL)
    assert newer.gaps[0].startswith("known from the journal only: who asked")
    assert older.gaps[0].startswith("known from CURRENT's note only: who asked")


def test_since_keeps_the_version_that_was_in_force() -> None:
    """An auditor's period begins with a value that was made before it."""
    told = [Version(n, f"2026-0{n}-01T00:00:00+00:00", JOURNAL) for n in range(1, 5)]
    found = since(rotations_of(Told((), told)), datetime(2026, 3, 1, tzinfo=timezone.utc))
    assert [one.version for one in found] == [2, 3, 4]


def test_the_page_is_one_file_without_scripts_and_escapes_every_text(state: StateFolder) -> None:
    """The page that the UI serves; nothing comes from elsewhere."""
    text = page(evidence_kept(state, ETL.name, now=START))
    assert "a &lt;laptop&gt; was lost" in text
    assert "<laptop>" not in text
    for never in ("<script", "http://", "https://", "<link", "<img", "@import", "url("):
        assert never not in text.lower()
    assert "What cannot be concluded" in text
    assert "PCI DSS 4.0.1, 8.6" in text


@pytest.mark.parametrize("hostile", ["</pre></details><script>x</script>", "\ud800", "a\r\nb\0", "\u202e"])
def test_a_hostile_reason_neither_leaves_its_place_nor_breaks_the_check(
    state: StateFolder, hostile: str
) -> None:
    environ = {"ROTATION_STATE_PATH": state.path}
    keep_outcome(environ, ETL, Scene().rotate_now(), replace(ANNA, why=hostile), now=START)
    text = page(evidence_kept(state, ETL.name, now=START))
    assert "<script" not in text
    assert check(text.encode().decode()).is_whole


def test_one_changed_letter_is_seen_in_document_and_in_page(state: StateFolder) -> None:
    """Also where only the words around the document were changed."""
    text = page(evidence_kept(state, ETL.name, now=START))
    assert check(text).is_whole
    start = text.index("<pre id=document>")
    for changed in (
        text[:start].replace("anna", "anne") + text[start:],
        text[:start] + text[start:].replace("anna", "anne"),
    ):
        verdict = check(changed)
        assert not verdict.is_whole
        assert "CHANGED" in verdict.what
    assert not check("<html></html>").is_whole
    assert not check("[]").is_whole


def test_with_the_trails_key_nobody_without_it_makes_another(state: StateFolder) -> None:
    seal = Seal(KEY.encode())
    text = page(evidence_kept(state, ETL.name, now=START, seal=seal))
    assert check(text, [seal]).is_whole
    assert seal.key_id in check(text, []).what
    assert KEY not in text


def test_other_peoples_tools_make_the_same_digest(state: StateFolder) -> None:
    """`jq` and `sha256sum`, for who does not trust ours."""
    evidence = Evidence(ETL.name, {}, START, "änne \u20ac", None, rotations_of(Told(outcomes(state))), ())
    document = sealed(document_of(evidence), Seal())
    again = json.loads(json.dumps({name: one for name, one in document.items() if name != "digest"}))
    assert Seal().digest(canonical(again)) == document["digest"]["value"]
    assert canonical(again).isascii()


@pytest.mark.parametrize(
    ("engine", "words"),
    [
        ("postgres", f"has {len(PasswordRule().generate())} characters, letters, digits and the entry's"),
        ("manual", "which a person chooses;"),
    ],
)
def test_what_a_value_is_made_of_is_told_as_far_as_it_is_known(engine: str, words: str) -> None:
    """PCI DSS asks for it, and an auditor who is sent to the policies would find nothing there."""
    evidence = Evidence(ETL.name, {"engine": engine}, START, "anna", None, (), ())
    [told] = [one["besides"] for one in controls(evidence) if " 8.3 " in one["control"]]
    assert words in told
    assert told.startswith("Length and symbols of the value")
    assert "policy" not in told


def test_who_approved_stands_beside_who_asked(tmp_path: Path) -> None:
    """The approver is part of the version's evidence; the moment of the yes is among the steps."""
    folder, scene = StateFolder(str(tmp_path)), Scene()
    scene.credential = replace(ETL, policy=replace(ETL.policy, approval=ApprovalRule()))
    outcome = scene.run(Request(scene.world.now, "schedule", approval=Approval("ben", "ben", START)))
    asked = Asked(by="schedule", approved_by="ben", approved_at=START.isoformat())
    keep_outcome({"ROTATION_STATE_PATH": folder.path}, ETL, outcome, asked, now=START)
    *_, last = rotations_of(Told(outcomes(folder)))
    assert (last.outcome, last.by, last.approved_by) == ("rotated", "schedule", "ben")
