"""G4: what an entry may say about wrong logins."""

from __future__ import annotations

from pathlib import Path

import pytest

from credential_rotation.inventory.inventory import load_inventory
from scenes.inventory.entries import folder, simple
from scenes.inventory.mistakes import entry, written

NEEDS_ADMIN = "needs an admin that leaves a stamp: the stamp says what was set last"
PROVES = "the proof that an old value is dead is a wrong login; say prove_dead: catalog"
ADMIN = "admin: {airflow_connection: rotator}"
WRONG = {
    "a login as proof": (f"{ADMIN}\n    max_wrong_logins: 0", [f"10: etl: {PROVES}"]),
    "no admin": ("prove_dead: catalog", [f"9: etl: {NEEDS_ADMIN}"]),
    "no stamp": (f"{ADMIN}\n    prove_dead: catalog\n    stamp: none", [f"10: etl: {NEEDS_ADMIN}"]),
    "a strict one without an admin": (
        "prove_dead: 'off'\n    max_wrong_logins: 0",
        [f"10: etl: {NEEDS_ADMIN}"],
    ),
}


@pytest.mark.parametrize(("more", "told"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_kept_is_told(tmp_path: Path, more: str, told: list[str]) -> None:
    """G4: with file and line, before anything is connected to."""
    problems = written(tmp_path / "include", "credentials:\n" + entry(owner=f"owner: x\n    {more}"))
    assert problems == [f"include/credentials/a.yaml:{line}" for line in told]


def test_an_entry_can_forbid_wrong_logins(tmp_path: Path) -> None:
    """G4: where wrong logins ban a role, two words in its entry do without them; the default is each once."""
    more = ", admin: {airflow_connection: r}, prove_dead: catalog, max_wrong_logins: 0"
    include = folder(tmp_path, a="credentials:\n" + simple("a", more) + simple("b"))
    strict, usual = load_inventory(include).credentials
    assert (strict.prove_dead, strict.max_wrong_logins) == ("catalog", 0)
    assert (usual.prove_dead, usual.max_wrong_logins) == ("login", None)
