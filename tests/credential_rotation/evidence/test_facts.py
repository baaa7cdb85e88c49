"""Evidence is made from what steps carry as data: whoever changes a sentence changes nothing of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bitwarden_vault.state_folder import StateFolder
from credential_rotation.evidence.evidence import Told, rotations_of
from credential_rotation.evidence.kept import evidence_kept
from credential_rotation.evidence.page import page
from credential_rotation.model import Answer, Probe
from credential_rotation.state.history import Asked, keep_outcome
from scenes.reworded import reworded
from simulators.scene import GRACE, SETTLE, SOAK, Scene, SimConsumers

CONSUMER = Probe(Answer.WORKS, "dag nightly")
KINDS: dict[str, dict[str, Any]] = {
    "one role": {},
    "a pair": {"pair": True},
    "keys": {"keys": True},
}


def documents(folder: Path, kind: str, prove_dead: str = "login") -> list[dict[str, Any]]:
    """What two rotations leave in the state folder, each retired."""
    scene = Scene(**KINDS[kind], consumers=SimConsumers((CONSUMER,)))
    scene.credential = replace(scene.credential, prove_dead=prove_dead)
    kept, asked = StateFolder(str(folder)), Asked(by="anna", why="a laptop was lost")
    environ = {"ROTATION_STATE_PATH": kept.path}
    for _ in range(2):
        for outcome in (scene.rotate_now(), *_retired(scene)):
            keep_outcome(environ, scene.credential, outcome, asked, now=scene.world.now)
    names = kept.names(f"history/{scene.credential.name}")
    return [found for found in map(kept.read, names) if found]


def _retired(scene: Scene) -> list[Any]:
    found = []
    for _ in range(3):
        scene.world.pass_time(GRACE + SETTLE + SOAK)
        found.append(scene.run())
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_a_rotation_is_proved_by_what_its_steps_carry(tmp_path: Path, kind: str) -> None:
    """Who, both proofs, the consumer and the deletion, though every step is worded otherwise."""
    kept = documents(tmp_path, kind)
    *_, last = before = rotations_of(Told(kept))
    assert rotations_of(Told([reworded(one) for one in kept])) == before
    assert (last.version, last.before, last.gaps) == (2, 1, ())
    assert last.principal == ("etl" if kind == "a pair" else "")
    place = "cloud.example" if kind == "keys" else "db.example:5432"
    assert [(proof.answer, proof.where) for proof in last.accepted] == [
        ("works", "the primary, before it became CURRENT"),
        ("works", f"{place}, as Bitwarden answered it"),
    ]
    assert [(proof.answer, proof.where) for proof in last.consumers] == [("works", "dag nightly")]
    assert [(proof.answer, proof.where) for proof in last.old_value] == [("refused", place)]
    assert last.old_deleted


@pytest.mark.parametrize(
    ("prove_dead", "answer", "words"),
    [
        ("catalog", "refused", "not tried, the target's catalog says so: not tried; the stamp says"),
        ("off", "not asked", "the entry says prove_dead: off"),
    ],
)
def test_an_old_value_that_was_not_tried_is_shown_as_that(
    tmp_path: Path, prove_dead: str, answer: str, words: str
) -> None:
    """And stays so, however the step says it."""
    kept = documents(tmp_path, "a pair", prove_dead)
    *_, last = before = rotations_of(Told(kept))
    assert rotations_of(Told([reworded(one) for one in kept])) == before
    [proof] = last.old_value
    assert proof.answer == answer
    assert proof.where.startswith(words)


def test_an_answer_is_about_the_version_that_it_names(tmp_path: Path) -> None:
    """A repair and a rotation in one attempt: what was answered of the one proves nothing of the other."""
    *_, last = documents(tmp_path, "one role")[:3]
    steps = [step | {"version": 7} if step.get("shows") == "CURRENT" else step for step in last["steps"]]
    found = rotations_of(Told([{**last, "steps": steps}]))
    assert {one.version: len(one.accepted) for one in found}[last["version"]] == 1


FACTS: dict[str, list[Any]] = {
    "shows": [None, 7, [], {}, "", "another", "\ud800"],
    "version": [None, "2", 2.0, True, -1, 10**30, [], {}],
    "answer": [None, 7, [], {}, "maybe"],
    "where": [None, 7, [], {}, "\ud800<b>"],
    "why": [None, 7, [], {}],
    "principal": [None, 7, [], {}],
    "at": [None, 7, [], {}, "yesterday"],
}


@pytest.mark.parametrize("name", FACTS)
@pytest.mark.parametrize("kind", ["off", "login"])
def test_a_foreign_document_breaks_no_evidence(tmp_path: Path, name: str, kind: str) -> None:
    """The folder is shared: whatever stands where a fact stood proves nothing, and the page is made."""
    kept = documents(tmp_path / "whole", "a pair", kind)
    folder = StateFolder(str(tmp_path / "foreign"))
    for at, garbage in enumerate(FACTS[name]):
        for number, one in enumerate(kept):
            steps = [{**step, name: garbage} for step in one["steps"]]
            folder.write(f"history/{one['name']}/{at}-{number}", {**one, "steps": steps})
    assert "Versions" in page(evidence_kept(folder, kept[0]["name"]))
