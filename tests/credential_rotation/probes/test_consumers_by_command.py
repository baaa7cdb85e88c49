"""Consumers as the command line sees them: asked of the value that is in Bitwarden, outside of Airflow."""

from __future__ import annotations

from scenes.site.deployment import Site

pytest_plugins = ["scenes.site.fixtures"]


def test_h5_what_the_command_line_cannot_ask_is_unproved_and_says_who_can(site: Site) -> None:
    """CURRENT logs in, nobody saw the consumers use it: not `ok`, and exit 1."""
    consumers = "[{airflow_connection: dwh}, {dag: load}, {manual: Looker, owner: bi}]"
    site.change_entries("owner: analytics", f"owner: analytics\n    consumers: {consumers}")
    ran = site.run("verify", "reporting", "--json")
    (found,) = ran.json["credentials"]
    assert (ran.code, found["outcome"], found["new_value"]) == (1, "unproved", "works")
    asked = {one["consumer"]: one for one in found["consumers"]}
    assert list(asked) == ["airflow connection dwh", "dag load", "manual Looker"]
    assert {one["answer"] for one in asked.values()} == {"unknown"}
    assert "verify_credentials asks it" in asked["dag load"]["why"]
    assert "waits for a person (bi)" in asked["manual Looker"]["why"]
