"""`check` tells mistakes in settings that no attempt reads, so that no alert is lost by one of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenes.site.deployment import Site

pytest_plugins = ["scenes.site.fixtures"]

MISTAKES = {
    "a bot without a channel": ({"SLACK_BOT_TOKEN": "xoxb-1"}, "SLACK_CHANNEL is missing"),
    "a channel without a bot": (
        {"SLACK_CHANNEL": "#alerts"},
        "SLACK_CHANNEL is set and SLACK_BOT_TOKEN is not",
    ),
    "a file that is not there": (
        {"SLACK_BOT_TOKEN_FILE": "/nosuch", "SLACK_CHANNEL": "#alerts"},
        "SLACK_BOT_TOKEN_FILE: the file is empty or cannot be read",
    ),
    "no such module": (
        {"ROTATION_NOTIFIERS": "our_channels.mail"},
        "ROTATION_NOTIFIERS: 'our_channels.mail' cannot be imported here (no module our_channels)",
    ),
    "no such name in it": (
        {"ROTATION_NOTIFIERS": "json.mail"},
        "ROTATION_NOTIFIERS: 'json.mail' cannot be imported here (AttributeError)",
    ),
    "no address": ({"ROTATION_HEARTBEAT_URL": "foo"}, "ROTATION_HEARTBEAT_URL is not a web address"),
    "an address without a host": (
        {"ROTATION_HEARTBEAT_URL": "https://"},
        "ROTATION_HEARTBEAT_URL is not a web",
    ),
    "a store that nothing here reads": (
        {"ROTATION_STATE_PATH": "nosuch://foo/x"},
        "ROTATION_STATE_PATH 'nosuch://foo/x' cannot be used here",
    ),
    "a file where a folder is wanted": (
        {"ROTATION_STATE_PATH": f"{__file__}/state"},
        "which is no folder",
    ),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_setting_that_cannot_work_is_a_mistake(site: Site, case: str) -> None:
    """Bad input, with the variable; the credentials are checked all the same."""
    environ, said = MISTAKES[case]
    ran = site.run("check", "etl", "--json", **environ)
    assert (ran.code, ran.words) == (2, {"etl": "ok"})
    [mistake] = ran.json["deployment"]
    assert said in mistake
    _stop_the_other_agent(site, environ)


def test_exceptions_that_discover_refuses_are_told(site: Site) -> None:
    """With file and line; none without an owner is an exception."""
    (site.folder / "exceptions.yaml").write_text(
        "exceptions:\n  - {credential: etl, reason: soon gone, until: 2099-01-01}\n"
    )
    ran = site.run("check", "--json")
    assert ran.code == 2
    [mistake] = ran.json["deployment"]
    assert "exceptions.yaml:2" in mistake
    assert "owner" in mistake


def test_they_are_told_beside_a_bitwarden_that_cannot_be_used(site: Site) -> None:
    """One mistake does not hide the others."""
    ran = site.run("check", "etl", "--json", BWS_ORGANIZATION_ID=None, ROTATION_HEARTBEAT_URL="foo")
    assert ran.code == 2
    assert [True for text in ran.json["deployment"] if "BWS_ORGANIZATION_ID" in text]
    assert [True for text in ran.json["deployment"] if "ROTATION_HEARTBEAT_URL" in text]
    assert "not checked: Bitwarden could not be used (see 'wrong:' above)" in ran.told("etl")


def test_that_nobody_is_told_is_worth_a_word(site: Site) -> None:
    """No mistake: some look at the page. Slack or a notifier of one's own ends it."""
    said = "nobody is told when a person is needed"
    ran = site.run("check", "etl", "--json")
    assert (ran.code, len([text for text in ran.json["warnings"] if said in text])) == (0, 1)
    for environ in ({"SLACK_WEBHOOK_URL": "https://hooks.slack.com/x"}, {"ROTATION_NOTIFIERS": "json.dumps"}):
        ran = site.run("check", "etl", "--json", **environ)
        assert (ran.code, [text for text in ran.json["warnings"] if said in text]) == (0, [])


def test_nobody_outside_is_asked(site: Site) -> None:
    """A heartbeat that `check` calls would say that the watchdog ran."""
    ran = site.run("check", "etl", "--json", ROTATION_HEARTBEAT_URL="http://127.0.0.1:9/beat")
    assert (ran.code, ran.json["deployment"]) == (0, [])


def test_a_folder_of_ones_own_is_fine(site: Site, tmp_path: Path) -> None:
    """It need not be there yet."""
    environ = {"ROTATION_STATE_PATH": str(tmp_path / "not" / "yet")}
    assert site.run("check", "etl", "--json", **environ).json["deployment"] == []
    _stop_the_other_agent(site, environ)


def _stop_the_other_agent(site: Site, environ: dict[str, str]) -> None:
    """An agent belongs to a state folder."""
    if "ROTATION_STATE_PATH" in environ:
        site.deployment(**environ).bitwarden.client.stop()
