"""Bitwarden projects by name: none, one and several are three answers."""

from __future__ import annotations

import pytest

from credential_rotation.errors import BadInput, VaultTrouble
from credential_rotation.journal.projects import Projects
from scenes.site.deployment import Site

pytest_plugins = ["scenes.site.fixtures"]


@pytest.fixture
def projects(site: Site) -> Projects:
    site.bitwarden.clear_requests()
    return site.deployment().bitwarden.projects


def lists(site: Site) -> int:
    """How often somebody asked for projects."""
    return sum(line.path.endswith("/projects") for line in site.bitwarden.requests())


def test_a_name_is_resolved_and_asked_for_once(site: Site, projects: Projects) -> None:
    """Ten entries cost one list."""
    ids = {projects.id_of(site.project(name), what="etl") for name in ("data", "journal", "admins", "data")}
    assert len(ids) == 3
    assert lists(site) == 1


def test_an_id_is_its_own_answer(site: Site, projects: Projects) -> None:
    """Nobody is asked; the case in which it is written does not matter."""
    given = "0AAAAAAA-0000-4000-8000-000000000000"
    assert projects.id_of(given, what="etl") == given.lower()
    assert lists(site) == 0


def test_a_name_that_cannot_be_seen_tells_what_can(site: Site, projects: Projects) -> None:
    """A spelling mistake shows at a glance; the permission to give is named."""
    with pytest.raises(VaultTrouble) as wrong:
        projects.id_of("dta", what="etl")
    assert "etl: this machine account sees no Bitwarden project 'dta'" in wrong.value.what
    assert site.project("data") in wrong.value.what
    assert "Can read, write" in wrong.value.next_step


def test_a_name_in_another_case_is_another_name(site: Site, projects: Projects) -> None:
    """Bitwarden tells them apart, and so do we."""
    with pytest.raises(VaultTrouble):
        projects.id_of(site.project("data").upper(), what="etl")


def test_a_name_that_two_projects_have_is_ambiguous(site: Site, projects: Projects) -> None:
    """Bitwarden allows it; the ids are told, so that one can be written instead."""
    double = site.bitwarden.create_project(site.project("data"))
    site.bitwarden.grant("rotation", double, "write")
    with pytest.raises(BadInput, match="2 Bitwarden projects are called") as wrong:
        projects.id_of(site.project("data"), what="etl")
    assert double in wrong.value.what


def test_the_same_name_without_access_is_no_rival(site: Site, projects: Projects) -> None:
    """Another team's project of that name is invisible."""
    site.bitwarden.create_project(site.project("data"))
    assert projects.id_of(site.project("data"), what="etl")
