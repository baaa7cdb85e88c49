"""Machine accounts without a grant, with read, and with write may do what the real server lets them."""

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import pytest

from sandbox.bitwarden.sdk import NOT_FOUND, Workplace, failure_of, log_in

pytest_plugins = ["sandbox.bitwarden.fixtures"]

Level = Literal["read", "write"]


def _visitor(workplace: Workplace, level: Level | None) -> Workplace:
    """Another account, with this level in the workplace's project."""
    account = f"visitor of {workplace.project_name}"
    grants: dict[str, Level] = {workplace.project: level} if level else {}
    token = workplace.bitwarden.create_machine_account(account, grants)
    return replace(workplace, account=account, token=token, client=log_in(workplace.bitwarden, token))


@pytest.mark.parametrize(("level", "sees"), [(None, False), ("read", True), ("write", True)])
def test_reading_needs_a_grant(workplace: Workplace, level: Level | None, *, sees: bool) -> None:
    """Without one, get and get_by_ids are not found, list and sync are empty."""
    made = workplace.create(value="seen")
    visitor = _visitor(workplace, level)
    organization = workplace.bitwarden.organization_id
    if sees:
        assert visitor.value(made) == "seen"
        assert [row.value for row in visitor.secrets.get_by_ids([made]).data.data] == ["seen"]
    else:
        assert failure_of(visitor.value, made).startswith(NOT_FOUND)
        assert failure_of(visitor.secrets.get_by_ids, [made]).startswith(NOT_FOUND)
    assert len(visitor.secrets.list(organization).data.data) == int(sees)
    assert len(visitor.secrets.sync(organization, None).data.secrets) == int(sees)
    assert len(visitor.projects.list(organization).data.data) == int(sees)


WRITES: dict[str, Callable[[Workplace, str], object]] = {
    "update": lambda visitor, made: visitor.update(made, "overwritten"),
    "create": lambda visitor, _: visitor.create(value="smuggled"),
    "rename the project": lambda visitor, _: visitor.projects.update(
        visitor.bitwarden.organization_id, visitor.project, "mine now"
    ),
}


@pytest.mark.parametrize("level", [None, "read"])
@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
def test_writing_without_write_is_not_found(
    workplace: Workplace, level: Level | None, write: Callable[[Workplace, str], object]
) -> None:
    """404, never 403, and nothing changes."""
    made = workplace.create(value="kept")
    visitor = _visitor(workplace, level)
    assert failure_of(write, visitor, made).startswith(NOT_FOUND)
    assert workplace.stored() == ["kept"]
    assert workplace.projects.get(workplace.project).data.name == workplace.project_name


def test_whoever_may_write_updates_creates_and_deletes(workplace: Workplace) -> None:
    """The third column of the table."""
    made = workplace.create()
    visitor = _visitor(workplace, "write")
    visitor.update(made, "theirs")
    visitor.create(value="new")
    assert sorted(workplace.stored()) == ["new", "theirs"]
    assert visitor.secrets.delete([made]).data.data[0].error is None
    assert workplace.stored() == ["new"]


@pytest.mark.parametrize("level", [None, "read"])
def test_a_denied_deletion_is_an_error_inside_a_success(workplace: Workplace, level: Level | None) -> None:
    """Also for a secret that the account cannot even read; its own goes at the same time."""
    made = workplace.create(value="kept")
    visitor = _visitor(workplace, level)
    own_project = str(visitor.projects.create(workplace.bitwarden.organization_id, "own").data.id)
    own = replace(visitor, project=own_project).create()
    results = visitor.secrets.delete([made, own]).data.data
    assert {str(result.id): result.error for result in results} == {made: "access denied", own: None}
    assert workplace.stored() == ["kept"]


def test_a_denied_project_deletion_is_an_error_inside_a_success(workplace: Workplace) -> None:
    """The project stays."""
    visitor = _visitor(workplace, "read")
    (result,) = visitor.projects.delete([workplace.project]).data.data
    assert result.error == "access denied"
    assert workplace.projects.get(workplace.project).data.name == workplace.project_name


def test_any_machine_account_makes_projects_and_becomes_their_writer(workplace: Workplace) -> None:
    """Even one without a single grant."""
    visitor = _visitor(workplace, None)
    own = str(visitor.projects.create(workplace.bitwarden.organization_id, "own").data.id)
    assert visitor.value(replace(visitor, project=own).create(value="works")) == "works"


def test_moving_a_secret_needs_write_on_both_sides(workplace: Workplace) -> None:
    """Write here and read there is not enough."""
    bitwarden, made = workplace.bitwarden, workplace.create(value="moved")
    there = bitwarden.create_project(f"beside {workplace.project_name}")
    bitwarden.grant(workplace.account, there, "read")
    assert failure_of(workplace.update, made, "moved", there).startswith(NOT_FOUND)
    bitwarden.grant(workplace.account, there, "write")
    workplace.update(made, "moved", there)
    assert str(workplace.secrets.get(made).data.project_id) == there


def test_a_grant_that_is_taken_away_ends_at_once(workplace: Workplace) -> None:
    """The bearer lives on; the permission does not."""
    made = workplace.create(value="kept")
    workplace.bitwarden.grant(workplace.account, workplace.project_name, "read")
    assert workplace.value(made) == "kept"
    assert failure_of(workplace.update, made, "lost").startswith(NOT_FOUND)
    workplace.bitwarden.grant(workplace.account, workplace.project_name, None)
    assert failure_of(workplace.value, made).startswith(NOT_FOUND)
