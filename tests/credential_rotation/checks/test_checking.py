"""`check` tells what would keep rotations from working, and touches neither CURRENT nor a role."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from scenes.site.deployment import Ran, Site

pytest_plugins = ["scenes.site.fixtures"]

MARK = "rotation/check"


@pytest.fixture
def untouched(site: Site) -> Iterator[Site]:
    """Besides its own secret, nothing is different after any check; nothing was begun either."""
    yield site
    assert not site.records("etl") + site.records("reporting") + site.records("admin")
    assert [row[2] for row in site.roles()] == [None] * 3


def check(site: Site, *arguments: str, **environ: str | None) -> Ran:
    """Check, and see that CURRENT, journal, verifiers and comments are as they were."""
    before = site.everything()
    ran = site.run("check", *arguments, "--json", **environ)
    assert site.everything() == before
    return ran


def marks(site: Site) -> list[str]:
    """The projects in which `check` has proved that it may write."""
    names = [site.project(name) for name in ("journal", "data", "admins")]
    return [
        name for name in names for one in site.bitwarden.secrets(name) if one.key == MARK and not one.deleted
    ]


def test_a_deployment_that_is_right_is_told_so(untouched: Site) -> None:
    """Each credential has an outcome: CURRENT logs in and may be changed, or nothing is stored yet."""
    ran = check(untouched)
    assert (ran.code, ran.words) == (0, {"etl": "ok", "reporting": "ok", "admin": "ok"})
    assert "a first password" in ran.told("etl")
    assert "may be changed" in ran.told("reporting")
    assert ran.json["deployment"] == []


def test_write_access_is_proved_by_one_secret_per_project_that_stays(untouched: Site) -> None:
    """Checking again uses the same one, and says when it was."""
    check(untouched)
    check(untouched)
    assert sorted(marks(untouched)) == sorted(
        untouched.project(name) for name in ("admins", "data", "journal")
    )
    [kept] = [one for one in untouched.bitwarden.secrets(untouched.project("data")) if one.key == MARK]
    assert kept.note.startswith("last proved ")


@pytest.mark.parametrize("project", ["journal", "data", "admins"])
def test_a_project_that_may_only_be_read_is_told(untouched: Site, project: str) -> None:
    """D3: one mistake, with the permission to give; the other projects are proved all the same."""
    untouched.bitwarden.grant("rotation", untouched.project(project), "read")
    ran = check(untouched)
    assert ran.code == 1
    [mistake] = ran.json["deployment"]
    what = "ROTATION_JOURNAL_PROJECT" if project == "journal" else f"'{untouched.project(project)}'"
    assert what in mistake
    assert "Can read, write" in mistake
    assert len(marks(untouched)) == 2


def test_every_project_that_cannot_be_written_is_told_at_once(untouched: Site) -> None:
    """One mistake does not hide the others."""
    untouched.bitwarden.grant("rotation", untouched.project("data"), "read")
    untouched.bitwarden.grant("rotation", untouched.project("admins"), None)
    ran = check(untouched)
    assert len(ran.json["deployment"]) == 2
    assert ran.words == {"etl": "failed", "reporting": "ok", "admin": "failed"}


def test_only_the_projects_of_chosen_entries_are_proved(untouched: Site) -> None:
    """Whoever checks one entry writes nowhere else."""
    assert list(check(untouched, "reporting").words) == ["reporting"]
    assert marks(untouched) == [untouched.project("journal"), untouched.project("data")]


def test_a_missing_privilege_is_found_by_trying_and_taken_back(untouched: Site) -> None:
    """With the GRANT to run; the others are checked all the same."""
    etl, admin = untouched.role("etl"), untouched.role("admin")
    untouched.postgres.execute(f"REVOKE {etl} FROM {admin}")
    ran = check(untouched)
    assert (ran.code, ran.words) == (1, {"etl": "failed", "reporting": "ok", "admin": "ok"})
    assert f'GRANT "{etl}" TO "{admin}" WITH ADMIN TRUE, INHERIT FALSE, SET FALSE' in ran.told("etl")


def test_a_current_that_is_refused_is_broken(untouched: Site) -> None:
    """Also where an admin could change it, with what to do about it."""
    for name in ("reporting", "admin"):
        untouched.postgres.execute(f"ALTER ROLE {untouched.role(name)} PASSWORD 'changed-by-hand'")
    ran = check(untouched)
    assert ran.words == {"etl": "failed", "reporting": "broken", "admin": "broken"}
    assert all(outcome["next_step"] for outcome in ran.outcomes.values())


def test_records_of_a_name_that_no_entry_has_are_told(site: Site) -> None:
    """A renamed or removed entry leaves no orphan in silence."""
    site.run("rotate", "etl")
    site.change_entries("name: etl", "name: warehouse-etl")
    [warning] = [text for text in check(site).json["warnings"] if "records" in text]
    assert "'etl'" in warning
    assert "renamed" in warning


def test_records_of_an_entry_that_has_a_mistake_are_no_orphans(site: Site) -> None:
    """Its mistake is told; nobody is advised to delete its records."""
    site.run("rotate", "etl")
    site.change_entries("admin: admin", "admin: admn")
    assert not [text for text in check(site).json["warnings"] if "no entry is called" in text]


def test_one_token_for_all_is_told_and_one_of_its_own_is_not(untouched: Site) -> None:
    """Consumers that share the rotation's token can read the journal."""
    assert any("ROTATION_BWS_ACCESS_TOKEN" in text for text in check(untouched).json["warnings"])
    own = check(
        untouched,
        ROTATION_BWS_ACCESS_TOKEN=untouched.ground.token,
        ROTATION_BWS_ACCESS_TOKEN_EXPIRES="2099-01-01",
        BWS_ACCESS_TOKEN=None,
        SLACK_WEBHOOK_URL="https://hooks.slack.com/services/x",
    )
    assert (own.code, own.json["warnings"]) == (0, [])


def test_d1_a_token_whose_end_nobody_told_is_said_to_be_unknown(untouched: Site, tmp_path: Path) -> None:
    """A machine account cannot read it from Bitwarden; the slot that is filled is named."""
    said = "nobody has told when the access token in BWS_ACCESS_TOKEN expires"
    assert any(said in text for text in check(untouched).json["warnings"])
    (tmp_path / "token").write_text(untouched.ground.token)
    in_file = check(untouched, BWS_ACCESS_TOKEN=None, BWS_ACCESS_TOKEN_FILE=str(tmp_path / "token"))
    [said_of_file] = [text for text in in_file.json["warnings"] if "nobody has told" in text]
    assert "in BWS_ACCESS_TOKEN_FILE expires" in said_of_file
    assert "set BWS_ACCESS_TOKEN_EXPIRES" in said_of_file
    told = check(untouched, BWS_ACCESS_TOKEN_EXPIRES="2099-01-01").json["warnings"]
    assert not any(said in text for text in told)


@pytest.mark.parametrize(
    ("settle", "said"), [("5s", "5s"), ("90s", "90s"), ("2m", "2m"), ("15m", None), ("1h", None)]
)
def test_a_settle_that_is_shorter_than_sure_is_told(untouched: Site, settle: str, said: str | None) -> None:
    """In the words in which it was set."""
    warnings = [
        text for text in check(untouched, ROTATION_SETTLE=settle).json["warnings"] if "SETTLE" in text
    ]
    assert [f"ROTATION_SETTLE is {said}:" in text for text in warnings] == ([True] if said else [])


def test_a_role_that_expires_before_its_value_is_replaced_is_told(untouched: Site) -> None:
    """G3: with the day and the statement that moves it; it stops nothing yet, so the role is still `ok`."""
    role = untouched.role("etl")
    untouched.postgres.execute(f"ALTER ROLE {role} VALID UNTIL '2001-02-03'")
    ran = check(untouched)
    [told] = [text for text in ran.json["warnings"] if "VALID UNTIL" in text]
    assert told.startswith(f"etl: VALID UNTIL 2001-02-03 00:00 UTC of role {role} has passed")
    assert f'Run: ALTER ROLE "{role}" VALID UNTIL' in told
    assert ran.words["etl"] == "ok"
    untouched.postgres.execute(f"ALTER ROLE {role} VALID UNTIL 'infinity'")
    assert not [text for text in check(untouched).json["warnings"] if "VALID UNTIL" in text]


def test_live_sessions_of_a_role_changed_in_place_are_told(untouched: Site) -> None:
    """A3: a pool that connects with the value it once read is found before it fails, and nothing is red."""
    role, password = untouched.role("reporting"), untouched.first["reporting"]
    with ExitStack() as pool:
        for _ in range(3):
            pool.enter_context(untouched.postgres.connect(role, password, application_name="api"))
        ran = check(untouched)
    [told] = [text for text in ran.json["warnings"] if "live session" in text]
    assert told.startswith(f"reporting: role {role} has 3 live sessions: 3 of api from 127.0.0.1")
    assert ran.code == 0


def test_symbols_that_the_format_or_its_readers_do_not_bear_are_told(untouched: Site) -> None:
    """A4: with the format that they hurt; the value itself is written so that its readers get it back."""
    untouched.change_entries("format: airflow-connection", "format: airflow-uri")
    untouched.change_entries(
        "owner: data-platform\n  - name: reporting",
        'owner: data-platform\n    password_symbols: "%@/:-"\n  - name: reporting',
    )
    told = [text for text in check(untouched).json["warnings"] if "password_symbols" in text]
    assert [text.partition(": ")[0] for text in told] == ["etl", "etl"]
    assert "%@/: is not written as itself in airflow-uri" in told[0]
    assert "airflow-uri then holds a `%`" in told[1]
    assert "configparser" in told[1]


def test_what_this_version_cannot_do_for_an_entry_is_told(untouched: Site) -> None:
    """Consumers that no probe can ask; a pool is nothing to tell where no Airflow can be asked."""
    untouched.change_entries(
        "owner: analytics",
        "owner: analytics\n    consumers: [{dag: load}, {manual: Looker}, {s3_bucket: x}]\n    pool: db",
    )
    warnings = " ".join(check(untouched).json["warnings"])
    assert "can ask these consumers: reporting (s3 bucket x);" in warnings
    assert "dag load" not in warnings
    assert "pool" not in warnings


def test_what_is_wrong_stands_above_what_is_right(untouched: Site) -> None:
    """A person reads from the top, and the last line sums up."""
    untouched.postgres.execute(f"ALTER ROLE {untouched.role('admin')} PASSWORD 'changed-by-hand'")
    untouched.change_entries("policy: weekly\n    owner: analytics", "policy: wekly\n    owner: analytics")
    ran = untouched.run("check")
    names = [line.split()[0] for line in ran.out.splitlines()[1:] if not line.startswith(" ")]
    assert names == ["etl", "admin"]
    err = ran.err.splitlines()
    assert [line for line in err if line.startswith("wrong: include/credentials/all.yaml:15: reporting:")]
    assert err[-1] == "2 credentials: 1 failed, 1 broken; 1 mistake to mend"


def test_where_no_token_is_set_nothing_is_said_of_its_end(untouched: Site) -> None:
    """That it is missing is the mistake to mend."""
    said = check(untouched, BWS_ACCESS_TOKEN=None).json["warnings"]
    assert not [text for text in said if "nobody has told" in text]
