"""H6: what is let be has a reason, an owner and an end, and comes back when that is over."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from credential_rotation.discovered import Login, instead, sort_out, use
from credential_rotation.inventory.exceptions import LetBe, about, load_exceptions, read_exceptions
from credential_rotation.inventory.yaml_text import read_yaml
from credential_rotation.model import Target
from credential_rotation.planning.exceptions_told import exceptions_to_tell
from sandbox.places import INCLUDE
from simulators.scene import ETL

NOW = datetime(2026, 11, 26, 23, 59, tzinfo=timezone.utc)
GOOD = "{engine: postgres, principal: 'report_*', reason: by ticket, owner: bi, until: 2026-11-26}"
KEY = Login("aws_iam", "123456789012", "exports", "AKIA1", knows_use=True, last_used=NOW, used_by="s3")


def read(text: str) -> tuple[tuple[LetBe, ...], tuple[str, ...]]:
    found = read_exceptions(read_yaml(text.encode(), "exceptions.yaml"))
    return found.let_be, found.mistakes


def test_h6_an_exception_holds_to_the_end_of_its_last_day() -> None:
    """And not a minute longer."""
    [one], mistakes = read(f"exceptions:\n  - {GOOD}\n")
    assert mistakes == ()
    assert not one.has_expired(NOW)
    assert one.has_expired(NOW + timedelta(minutes=1))


@pytest.mark.parametrize("left_out", ["reason", "owner", "until", "principal", "engine"])
def test_h6_without_reason_owner_or_end_it_is_a_mistake_and_no_exception(left_out: str) -> None:
    """Told with its line."""
    fields = {
        "engine": "postgres", "principal": "x", "reason": "by ticket", "owner": "bi", "until": "2026-12-31",
    }  # fmt: skip
    text = ", ".join(f"{name}: {value}" for name, value in fields.items() if name != left_out)
    found, mistakes = read(f"exceptions:\n  - {GOOD}\n  - {{{text}}}\n")
    assert len(found) == 1
    assert mistakes[0].startswith("exceptions.yaml:3: ")


@pytest.mark.parametrize(
    "text",
    ["exceptions: x", "- a", "exceptions: [1]", "exceptions: [{until: 2026-02-30}]", "exceptions:\n\t- a"],
)
def test_rubbish_is_told_and_never_raises(text: str) -> None:
    found, mistakes = read(text)
    assert (found, bool(mistakes)) == ((), True)


def test_a_day_that_is_none_is_a_mistake() -> None:
    _, mistakes = read("exceptions:\n  - {credential: etl, reason: abc, owner: bi, until: '2026-02-30'}\n")
    assert "no day of the calendar" in mistakes[0]


def test_no_file_is_no_exception_and_the_shipped_one_is_right(tmp_path: Path) -> None:
    assert load_exceptions(tmp_path).let_be == ()
    shipped = INCLUDE
    assert load_exceptions(shipped).mistakes == ()
    written = (shipped / "exceptions.yaml").read_text().replace("exceptions: []\n", "exceptions:\n")
    (tmp_path / "exceptions.yaml").write_text(written.replace("\n#  ", "\n  "))
    found = load_exceptions(tmp_path)
    assert (found.mistakes, len(found.let_be)) == ((), 2)


def test_an_exception_is_about_an_entry_by_name_or_by_principal() -> None:
    """Evidence lists those."""
    by_name, by_role, other = (
        LetBe("r", "o", NOW.date(), "x:1", credential=ETL.name),
        LetBe("r", "o", NOW.date(), "x:2", engine=ETL.engine, principal=ETL.principals[0]),
        LetBe("r", "o", NOW.date(), "x:3", engine=ETL.engine, principal="ano*"),
    )
    assert about([by_name, by_role, other], ETL) == [by_name, by_role]


def test_h6_expired_comes_back_and_says_that_it_was_let_be() -> None:
    """In force it is listed as such; on the next day it is nobody's again."""
    login = Login("postgres", "db:5432", "report_a", connections=0)
    [one], _ = read(f"exceptions:\n  - {GOOD}\n")
    today, tomorrow = (sort_out([login], [], [one], NOW + day) for day in (timedelta(), timedelta(days=1)))
    assert (today.unmanaged, today.let_be) == ((), ((login, one),))
    assert tomorrow.unmanaged[0].expired == one


def test_a_role_of_that_name_on_another_server_is_not_managed() -> None:
    here = replace(ETL, engine="postgres", target=Target("db", {}))
    logins = [Login("postgres", where, ETL.principals[0]) for where in ("db:5432", "db:5433")]
    assert [one.login.where for one in sort_out(logins, [here], [], NOW).unmanaged] == ["db:5433"]


@pytest.mark.parametrize(
    ("login", "words"),
    [
        (KEY, "instance profile"),
        (replace(KEY, principal="github-deploy"), "OIDC"),
        (replace(KEY, last_used=NOW - timedelta(days=91)), "make it inactive"),
        (replace(KEY, last_used=None), "make it inactive"),
        (replace(KEY, is_active=False), "delete it"),
        (Login("postgres", "db:1", "postgres", is_superuser=True), "break-glass"),
        (Login("postgres", "db:1", "bi"), "IAM or Entra"),
    ],
)
def test_what_would_be_better_is_said(login: Login, words: str) -> None:
    assert words in instead(login, NOW)


def test_a_use_that_the_target_does_not_keep_is_not_called_never() -> None:
    """PostgreSQL keeps none."""
    told = use(Login("postgres", "db:1", "bi", connections=3, valid_until="2027-01-01"), NOW)
    assert told == "last use not known to the target; 3 connections open now; valid until 2027-01-01"
    one = use(Login("postgres", "db:1", "bi", connections=1), NOW)
    assert one == "last use not known to the target; 1 connection open now"
    assert use(replace(KEY, last_used=None), NOW) == "never used"


def test_h6_the_digest_tells_expired_exceptions_with_owner_and_where_to_mend_them(tmp_path: Path) -> None:
    """Those that hold are not told."""
    (tmp_path / "exceptions.yaml").write_text(f"exceptions:\n  - {GOOD}\n  - {{owner: nobody}}\n")
    assert [one.owner for one in exceptions_to_tell(tmp_path, NOW)] == ["", "", ""]
    *_, expired = exceptions_to_tell(tmp_path, NOW + timedelta(days=1))
    assert (expired.owner, "exceptions.yaml:2" in expired.what) == ("bi", True)
    assert exceptions_to_tell(tmp_path / "nowhere", NOW) == []
