"""G3: `VALID UNTIL` against the policy, on a real server."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import psycopg
import pytest

from credential_rotation.engines.postgres.rotator import PostgresRotator
from credential_rotation.errors import BadInput
from credential_rotation.inventory.inventory import load_inventory
from credential_rotation.model import Credential, Policy, Record, Strategy
from credential_rotation.times.schedule import LATE, in_use_until
from scenes.inventory.entries import folder, simple
from scenes.postgres.role import Scene

QUARTERLY = Policy("quarterly", max_age=timedelta(days=90), grace=timedelta(days=2))
NOW = datetime(2026, 11, 25, 12, tzinfo=timezone.utc)
ENOUGH = NOW + timedelta(days=92) + LATE


def entry(scene: Scene, word: str, policy: Policy = QUARTERLY) -> Credential:
    return replace(scene.credential(options={"valid_until": word}), policy=policy)


def rotator(scene: Scene, word: str = "extend", policy: Policy = QUARTERLY) -> PostgresRotator:
    return PostgresRotator(entry(scene, word, policy), admin=lambda: scene.admins)


def expire(scene: Scene, at: str) -> None:
    scene.sql(f"ALTER ROLE {scene.role} VALID UNTIL '{at}'")


def end(scene: Scene) -> str | None:
    """The role's end as the server writes it, in UTC."""
    ends: dict[str, str | None] = dict(
        scene.sql("SELECT rolname, (rolvaliduntil AT TIME ZONE 'UTC')::text FROM pg_roles")
    )
    return ends[scene.role]


def applied(scene: Scene, word: str = "extend") -> Record:
    """Apply a version that was minted long ago, as after an outage."""
    driver = rotator(scene, word)
    made = scene.record(driver.mint(scene.role))
    record = replace(made, written=made.written - timedelta(days=200))
    with driver.lock(None, changing=scene.role) as session:
        session.apply(record, found=session.stamp(scene.role), leave=scene.stamp())
    return record


def remarks(
    scene: Scene, word: str = "keep", policy: Policy = QUARTERLY, due: datetime | None = None
) -> tuple[str, ...]:
    return rotator(scene, word, policy).remarks(None, in_use=scene.role, due=due, now=NOW)


# --- moving it -----------------------------------------------------------------------------------------


def test_extend_moves_the_end_with_each_version(scene: Scene) -> None:
    """G3: until the next version is due, a late day and grace; an expired role works again by that."""
    expire(scene, "2001-01-01")
    record = applied(scene)
    at = datetime.fromisoformat(f"{end(scene)}+00:00")
    wanted = datetime.now(timezone.utc) + timedelta(days=92) + LATE
    assert wanted - timedelta(minutes=1) < at <= wanted
    assert scene.logs_in(record.secret)


def test_keep_leaves_the_end_alone(scene: Scene) -> None:
    """G3: without `extend` the ALTER names nothing but the password."""
    expire(scene, "2090-01-01")
    before = end(scene)
    applied(scene, "keep")
    assert end(scene) == before
    sent = [line for line in scene.server.log().splitlines() if f'ALTER ROLE "{scene.role}" PASSWORD' in line]
    assert len(sent) == 2  # rehearsed and made
    assert not any("VALID UNTIL" in line for line in sent)


def test_the_end_never_comes_earlier(scene: Scene) -> None:
    """G3: a later end stays, and a role without one gets none."""
    for at in ("2090-01-01", "infinity"):
        expire(scene, at)
        before = end(scene)
        applied(scene)
        assert end(scene) == before


def test_a_role_without_an_end_gets_none(scene: Scene) -> None:
    """G3: `extend` moves what a person has set, and sets nothing itself."""
    applied(scene)
    assert end(scene) is None


def test_taking_the_password_away_moves_nothing(scene: Scene) -> None:
    """G3: who is retired is not given more time."""
    expire(scene, "2027-01-01")
    driver, before = rotator(scene), end(scene)
    with driver.lock(None, changing=scene.role) as session:
        session.kill(scene.record(scene.first), found=session.stamp(scene.role), leave=scene.stamp())
    assert end(scene) == before


def test_the_rehearsal_moves_nothing(scene: Scene) -> None:
    """G3: what is tried before anything is written is rolled back whole."""
    expire(scene, "2001-01-01")
    before = end(scene)
    rotator(scene).check_privileges(None)
    assert end(scene) == before


def test_a_pair_may_extend_an_end_that_is_earlier(scene: Scene) -> None:
    """G3: the twin that comes next ends first, which is no difference where its end is about to be moved."""
    twin = f"{scene.role}_b"
    scene.server.create_role(twin, "never-told")
    scene.server.let_rotate(scene.admin, twin)
    scene.sql(f"ALTER ROLE {twin} VALID UNTIL '2027-01-01'")
    for word, told in (("keep", 1), ("extend", 0)):
        pair = replace(entry(scene, word), strategy=Strategy.ALTERNATING, principals=(scene.role, twin))
        driver = PostgresRotator(pair, admin=lambda: scene.admins)
        with driver.lock(None, changing=twin) as session:
            found = [one for one in session.differences(twin, scene.role) if "VALID UNTIL" in one]
        assert len(found) == told, word


def test_a_role_cannot_extend_its_own(scene: Scene, tmp_path: Path) -> None:
    """G3: the server refuses it, so to ask for it without an admin is a mistake."""
    with scene.connect(scene.first) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(f"ALTER ROLE {scene.role} VALID UNTIL '2090-01-01'")
    text = "credentials:\n" + simple("etl", ", valid_until: extend")
    [problem] = load_inventory(folder(tmp_path, a=text)).problems
    assert "extend needs an admin" in problem.message
    with pytest.raises(BadInput, match="max_age or cron"):
        rotator(scene, "extend", Policy("manual"))


# --- telling it ----------------------------------------------------------------------------------------


def test_an_end_that_comes_too_early_is_told_with_its_remedy(scene: Scene) -> None:
    """G3: valid for 10 more days, replaced after 90: told, and silent once the statement was run."""
    expire(scene, "2026-12-05")
    [told] = remarks(scene)
    assert "VALID UNTIL 2026-12-05 00:00 UTC" in told
    assert f"comes before {ENOUGH:%Y-%m-%d %H:%M} UTC" in told
    statement = told.partition("Run: ")[2].partition(";")[0]
    scene.sql(statement)
    assert remarks(scene) == ()


@pytest.mark.parametrize("word", ["keep", "extend"])
def test_an_end_that_has_passed_is_told(scene: Scene, word: str) -> None:
    """G3: whatever the entry says, and under a policy that knows no age too."""
    expire(scene, "2026-11-25 11:00+00")
    [told] = remarks(scene, word)
    assert "has passed" in told
    [told] = remarks(scene, policy=Policy("manual"))
    assert "VALID UNTIL 'infinity'" in told


def test_extend_tells_only_what_it_cannot_mend(scene: Scene) -> None:
    """G3: an end before the next version is due is not reached by moving it then."""
    expire(scene, "2026-12-05")
    assert remarks(scene, "extend", due=NOW + timedelta(days=5)) == ()
    [told] = remarks(scene, "extend", due=NOW + timedelta(days=60))
    assert "rotate it now" in told


@pytest.mark.parametrize("at", ["2090-01-01", "infinity", "200000-01-01"])
def test_an_end_far_away_or_none_is_not_told(scene: Scene, at: str) -> None:
    """G3: no false alarm."""
    assert remarks(scene) == ()
    expire(scene, at)
    assert remarks(scene) == ()


def test_how_long_a_version_may_be_in_use() -> None:
    """G3: jitter makes it due earlier, never useless earlier; where only a person says, nothing is known."""
    spread = replace(QUARTERLY, jitter=timedelta(days=9), share=timedelta(days=8))
    assert in_use_until(spread, NOW) == ENOUGH
    assert in_use_until(Policy("manual"), NOW) is None
    monthly = Policy("monthly", cron="0 0 1 * *")
    assert in_use_until(monthly, NOW) == datetime(2026, 12, 1, tzinfo=timezone.utc) + LATE
