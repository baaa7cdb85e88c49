"""What cannot mean anything is refused at once: one message, exit 2, and nothing was asked of anybody."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from scenes.site.deployment import Ran, Site

pytest_plugins = ["scenes.site.fixtures"]

ACTING = [("rotate", "etl"), ("verify", "etl"), ("retire", "etl"), ("plan",), ("status",)]


@pytest.fixture
def quiet(site: Site) -> Iterator[Site]:
    """A site whose Bitwarden hears nothing, and where nothing is changed."""
    before = site.everything()
    site.bitwarden.clear_requests()
    yield site
    assert [line.path for line in site.bitwarden.requests()] == []
    assert site.everything() == before


def refused(ran: Ran) -> str:
    """What was said; it was bad input, and no credential has an outcome."""
    assert ran.code == 2
    assert ran.json["credentials"] == []
    error = ran.json["error"]
    assert error["next_step"]
    assert error["what"] in ran.err
    return str(error["what"])


@pytest.mark.parametrize("command", ["check", "plan", "rotate", "verify", "retire", "status"])
def test_all_unknown_names_are_told_at_once(quiet: Site, command: str) -> None:
    """With the nearest name; the good name among them is not begun."""
    said = refused(quiet.run(command, "etll", "etl", "nobody", "--json"))
    assert "there is no credential 'etll'; did you mean 'etl'" in said
    assert "there is no credential 'nobody'" in said


def test_a_name_with_mistakes_in_its_entry_is_told_with_file_and_line(quiet: Site) -> None:
    """Not as a name that nobody knows."""
    quiet.change_entries("policy: manual", "policy: sometimes")
    said = refused(quiet.run("rotate", "admin", "nobody", "--json"))
    assert "include/credentials/all.yaml:22: admin: unknown policy 'sometimes'" in said
    assert "there is no credential 'nobody'" in said


def test_an_entry_of_an_unknown_engine_names_the_known_ones(quiet: Site) -> None:
    """A typing error in the entry, told before anything is asked."""
    quiet.change_entries("name: admin\n    engine: postgres", "name: admin\n    engine: postgers")
    said = refused(quiet.run("rotate", "admin", "--json"))
    assert "unknown engine 'postgers'; did you mean 'postgres'?" in said


def test_yaml_that_cannot_be_read_is_told_with_file_and_line(quiet: Site) -> None:
    """Where it is the only file, no entry is left: still bad input, never a green nothing."""
    quiet.write_entries("credentials:\n  - name: etl\n   engine: postgres\n")
    ran = quiet.run("plan", "--json")
    assert (ran.code, ran.json["credentials"]) == (2, [])
    [problem] = ran.json["problems"]
    assert problem.startswith("include/credentials/all.yaml:3: ")


@pytest.mark.parametrize("reason", [(), ("--reason", ""), ("--reason", "  ")], ids=["none", "empty", "blank"])
def test_forced_without_a_reason_is_refused(quiet: Site, reason: tuple[str, ...]) -> None:
    """The reason is kept as evidence."""
    assert "needs a reason" in refused(quiet.run("rotate", "etl", "--force", *reason, "--json"))


@pytest.mark.parametrize("arguments", ACTING, ids=lambda arguments: arguments[0])
def test_an_unset_journal_is_one_message(quiet: Site, arguments: tuple[str, ...]) -> None:
    """It names the variable and what to make, once for all credentials."""
    ran = quiet.run(*arguments, "--json", ROTATION_JOURNAL_PROJECT=None)
    assert refused(ran).startswith("ROTATION_JOURNAL_PROJECT is not set")
    assert "Make a Bitwarden project of its own" in ran.json["error"]["next_step"]


@pytest.mark.parametrize("arguments", ACTING, ids=lambda arguments: arguments[0])
def test_an_unset_token_is_one_message(quiet: Site, arguments: tuple[str, ...]) -> None:
    """With both ways to set it."""
    said = refused(quiet.run(*arguments, "--json", BWS_ACCESS_TOKEN=None))
    assert "BWS_ACCESS_TOKEN is missing: set it, or BWS_ACCESS_TOKEN_FILE" in said


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"ROTATION_SETTLE": "soon"}, "ROTATION_SETTLE: 'soon' is not a duration"),
        ({"ROTATION_INCLUDE": "/nowhere"}, "/nowhere"),
        ({"BWS_ORGANIZATION_ID": "acme"}, "BWS_ORGANIZATION_ID is not an id"),
        ({"BWS_SERVER_URL": "https://vault.example"}, "BWS_SERVER_URL already says it all"),
        ({"BWS_IDENTITY_URL": None}, "BWS_IDENTITY_URL is missing"),
        ({"SSL_CERT_FILE": "/nowhere.pem"}, "SSL_CERT_FILE names a file that cannot be read"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_settings_that_cannot_work_name_their_variable(
    quiet: Site, environ: dict[str, str | None], said: str
) -> None:
    """Empty, contradictory or misspelt: one clear error at start."""
    assert said in refused(quiet.run("rotate", "etl", "--json", **environ))


def test_a_token_that_was_cut_off_is_not_repeated(quiet: Site) -> None:
    """What is wrong with it is said, the token itself never."""
    token = quiet.ground.token.partition(":")[0]
    quiet.further_secrets.append(token.split(".")[2])
    assert "is not an access token" in refused(quiet.run("verify", "--json", BWS_ACCESS_TOKEN=token))


def test_a_fresh_drop_in_is_told_what_to_fill_in(quiet: Site) -> None:
    """No entries and no settings: the message is about where to begin."""
    quiet.write_entries("credentials: []\n")
    nothing = dict.fromkeys(("BWS_ACCESS_TOKEN", "BWS_ORGANIZATION_ID", "ROTATION_JOURNAL_PROJECT"))
    ran = quiet.run("check", "--json", **nothing)
    assert "there are no entries yet" in refused(ran)
    assert "warehouse.yaml.example" in ran.json["error"]["next_step"]


def test_as_a_program_of_its_own_the_message_is_two_lines_and_no_traceback(quiet: Site) -> None:
    """What happened, and what to do."""
    ran = quiet.run_process("rotate", "nobody")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.splitlines() == [
        "there is no credential 'nobody'",
        "`check` without a name shows every entry and what is wrong with it.",
    ]


def test_check_tells_mistakes_of_the_inventory_without_bitwarden(quiet: Site) -> None:
    """Settings and entries are mended in one go."""
    quiet.change_entries("policy: manual", "policy: sometimes")
    ran = quiet.run("check", "--json", BWS_ACCESS_TOKEN=None)
    assert ran.code == 2
    assert any("unknown policy 'sometimes'" in text for text in ran.json["problems"])
    assert any("BWS_ACCESS_TOKEN is missing" in text for text in ran.json["deployment"])
    assert set(ran.words.values()) == {"failed"}
