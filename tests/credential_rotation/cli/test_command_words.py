"""What commands say of themselves: their help, and what they are doing."""

from __future__ import annotations

from scenes.site.deployment import Site

pytest_plugins = ["scenes.site.fixtures"]


def test_the_help_of_evidence_says_that_a_form_has_to_be_chosen(site: Site) -> None:
    """Without one it is refused."""
    assert "Wants NAME and --html or --json" in site.run("evidence", "--help").flat
    assert site.run("evidence", "etl").code == 2


def test_a_reason_is_not_said_back(site: Site) -> None:
    """What is being done, and to which credential."""
    ran = site.run("resolve", "etl", "--key", "KEY1", "--reason", "nobody uses it")
    assert ran.err.splitlines()[0] == "[1/1] resolving etl"
