"""The command line and a policy that wants a second person's yes: it asks nobody, and says who does."""

from __future__ import annotations

from scenes.site.deployment import Site

pytest_plugins = ["scenes.site.fixtures"]


def guard(site: Site) -> None:
    """Each weekly entry wants a yes."""
    site.change_entries("policy: weekly", "policy: {max_age: 1w, approval: required}")


def test_rotate_is_refused_and_says_where_to_ask(site: Site) -> None:
    """Also forced: a shell cannot prove who you are. Nothing is changed."""
    guard(site)
    before = site.everything()
    for more in ((), ("--force", "--reason", "an audit"), ("--dry-run",)):
        ran = site.run("rotate", "reporting", "--json", *more)
        assert ran.words == {"reporting": "refused"}
        assert "its policy wants the approval of a second person" in ran.told("reporting")
        assert "Trigger the DAG rotate_with_approval" in ran.told("reporting")
        assert ran.code == 1
    assert site.everything() == before


def test_plan_and_status_say_that_it_waits_for_a_person(site: Site) -> None:
    """Neither `planned` nor `ok`: the next run begins nothing."""
    guard(site)
    for command in ("plan", "status"):
        ran = site.run(command, "reporting", "--json")
        assert ran.words == {"reporting": "waiting"}
        assert "its policy wants the approval of a second person" in ran.told("reporting")
        assert "rotate_with_approval asks by itself" in ran.told("reporting")


def test_compromise_mode_waits_for_nobody(site: Site) -> None:
    """A value in wrong hands is replaced now; who did it and why is kept."""
    guard(site)
    ran = site.run("revoke", "reporting", "--reason", "seen in a chat", "--json")
    assert ran.words == {"reporting": "revoked"}
