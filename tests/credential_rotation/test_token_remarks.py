"""The second access token is proved before it is needed, and whoever looks after it is told what to do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bitwarden_vault.client import VaultClient
from bitwarden_vault.settings import read_settings
from credential_rotation.errors import BadInput
from credential_rotation.settings import SLOTS
from credential_rotation.settings import read_settings as read_ours
from scenes.site.deployment import Site
from scenes.site.ground import ACCOUNT, own_agent

pytest_plugins = ["scenes.site.fixtures"]

NEXT = "BWS_ACCESS_TOKEN_NEXT"
Environ = dict[str, str]


@pytest.fixture
def environ(site: Site) -> Iterator[Environ]:
    """Two tokens of the rotation's account, and no agent left of either."""
    made = [site.bitwarden.create_token(ACCOUNT) for _ in range(2)]
    site.further_secrets += made
    with own_agent(
        site.ground, made[0], **{NEXT: made[1], "BWS_ACCESS_TOKEN_EXPIRES": "2099-01-01"}
    ) as environ:
        yield environ
    assert not site.leaked()


def remarks(site: Site, environ: Environ, **changed: str) -> list[str]:
    """What `check` has to say of the tokens, and nothing else that is the other tests'."""
    ran = site.run("check", "etl", "--json", **{**environ, **changed})
    assert ran.code == 0
    told = (text for text in ran.json["warnings"] if "one access token" not in text)
    return [text for text in told if "token" in text or "slot" in text]


def test_a_second_token_that_is_ready_is_said_to_be(site: Site, environ: Environ) -> None:
    """It has logged in, by an agent that is gone again; the watchdog, daily, has nothing to tell of it."""
    before = sum(line.path.endswith("/connect/token") for line in site.bitwarden.requests())
    [said] = remarks(site, environ)
    assert said.startswith(f"the second access token, {NEXT} (")
    assert said.endswith("), logs in and sees the same projects as the first")
    assert sum(line.path.endswith("/connect/token") for line in site.bitwarden.requests()) == before + 2
    alone = {**environ, "BWS_ACCESS_TOKEN": environ[NEXT], NEXT: ""}
    assert not VaultClient(read_settings(alone)).status()["running"]


def test_a_second_token_that_could_not_take_over_is_told(site: Site, environ: Environ) -> None:
    """While there is time to make another one."""
    site.bitwarden.revoke_token(environ[NEXT])
    [said] = remarks(site, environ)
    assert f"the second access token, {NEXT} (" in said
    assert "could not take over: Bitwarden refuses the access token" in said


def test_a_second_token_that_is_none_is_told(site: Site, environ: Environ) -> None:
    """And keeps nothing from working."""
    [said] = remarks(site, environ, **{NEXT: "cut off"})
    assert f"could not take over: {NEXT} is not an access token" in said
    VaultClient(read_settings({**environ, NEXT: ""})).stop()


def test_a_second_token_of_another_account_is_told(site: Site, environ: Environ) -> None:
    """It would log in, and then miss what it may not see."""
    foreign = site.bitwarden.create_machine_account(f"other-{site.number}", {site.project("data"): "read"})
    [said] = remarks(site, environ, **{NEXT: foreign})
    assert "sees other projects than the first" in said
    VaultClient(read_settings({**environ, NEXT: foreign})).stop()


def test_an_empty_second_slot_looks_like_no_second_token(
    site: Site, environ: Environ, tmp_path: Path
) -> None:
    """Who filled another file than the one that is read finds out before the first token is revoked."""
    (tmp_path / "next").write_text("\n")
    [said] = remarks(site, environ, **{NEXT: "", f"{NEXT}_FILE": str(tmp_path / "next")})
    assert said.startswith(f"the second slot, {NEXT}_FILE, is empty: nothing goes on when Bitwarden refuses")
    VaultClient(read_settings({**environ, NEXT: ""})).stop()


def test_the_watchdog_tells_no_good_news_of_tokens(site: Site, environ: Environ) -> None:
    """Its digest is for what somebody has to do."""
    assert site.deployment(**environ).bitwarden.remarks_on_tokens() == ()


def test_a_second_token_in_use_is_told_with_what_to_do(site: Site, environ: Environ) -> None:
    """A rotation goes on with it as if nothing had happened."""
    site.bitwarden.revoke_token(environ["BWS_ACCESS_TOKEN"])
    ran = site.run("rotate", "etl", "--json", **environ)
    assert ran.words == {"etl": "rotated"}
    [said] = remarks(site, environ)
    assert f"in use is the one in {NEXT}" in said
    assert "Put that one into BWS_ACCESS_TOKEN" in said


def test_each_slot_has_an_end_of_its_own() -> None:
    """The consumers' and the rotation's, first and second; one that is no date is named."""
    environ = {f"{slot}_EXPIRES": f"2027-0{month}-01" for month, slot in enumerate(SLOTS, 1)}
    assert {slot: end.month for slot, end in read_ours(environ).token_ends.items()} == {
        "BWS_ACCESS_TOKEN": 1,
        "BWS_ACCESS_TOKEN_NEXT": 2,
        "ROTATION_BWS_ACCESS_TOKEN": 3,
        "ROTATION_BWS_ACCESS_TOKEN_NEXT": 4,
    }
    with pytest.raises(BadInput, match="BWS_ACCESS_TOKEN_NEXT_EXPIRES 'soon' is no date"):
        read_ours({f"{NEXT}_EXPIRES": "soon"})
