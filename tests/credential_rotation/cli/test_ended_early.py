"""A command about several credentials that does not get to its last: what is done stays known."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bitwarden_vault.client import VaultClient
from bitwarden_vault.settings import read_settings
from credential_rotation.model import Credential
from credential_rotation.outcome import Outcome
from credential_rotation.policy import Request
from credential_rotation.wiring import Deployment
from scenes.site.deployment import Site

pytest_plugins = ["scenes.site.fixtures"]

ROTATE = ("rotate", "etl", "reporting", "admin", "--reason", "a laptop was lost")


@pytest.fixture
def kept(site: Site, tmp_path: Path) -> Iterator[Site]:
    """With a state folder of its own."""
    site.environ["ROTATION_STATE_PATH"] = str(tmp_path / "state")
    yield site
    VaultClient(read_settings(site.environ)).stop()


@pytest.fixture
def _second_fails(monkeypatch: pytest.MonkeyPatch, end: type[BaseException]) -> None:
    """The second rotation does not come to its end."""
    rotate = Deployment.rotate

    def until_the_second(self: Deployment, credential: Credential, begin: Request | None) -> Outcome:
        if credential.name == "reporting":
            raise end
        return rotate(self, credential, begin)

    monkeypatch.setattr(Deployment, "rotate", until_the_second)


@pytest.mark.usefixtures("_second_fails")
@pytest.mark.parametrize("end", [KeyboardInterrupt])
def test_ctrl_c_at_the_second_leaves_the_first_ones_evidence_and_prints_it(kept: Site) -> None:
    """Who asked, why and what was proved; and for those that are left, what to do."""
    ran = kept.run(*ROTATE, "--json")
    assert (ran.code, ran.words) == (1, {"etl": "rotated"})
    assert "what became of reporting is not known, and `retire reporting` finishes" in ran.flat
    assert "nothing was done about admin" in ran.flat
    [version] = kept.run("evidence", "etl", "--json").json["rotations"]
    assert (version["why"], version["outcome"]) == ("a laptop was lost", "rotated")
    assert [proof["answer"] for proof in version["accepted"]] == ["works", "works"]
    assert list(Path(kept.environ["ROTATION_STATE_PATH"], "runs").rglob("*.json"))


@pytest.mark.usefixtures("_second_fails")
@pytest.mark.parametrize("end", [MemoryError])
def test_a_crash_at_the_second_does_so_too(kept: Site) -> None:
    """Whatever it is."""
    with pytest.raises(MemoryError):
        kept.run(*ROTATE)
    [version] = kept.run("evidence", "etl", "--json").json["rotations"]
    assert version["outcome"] == "rotated"
