"""Every command, against a Bitwarden and a PostgreSQL: what it does, and what it prints for programs."""

from __future__ import annotations

import json

import pytest

from scenes.site.deployment import Site

pytest_plugins = ["scenes.site.fixtures"]

SHAPE = {
    "name", "engine", "strategy", "outcome", "version", "reason", "next_step", "until", "attempt",
    "old_value", "new_value", "consumers", "readers", "waits_for", "only_words_missing", "steps",
}  # fmt: skip
NAMES = ["etl", "reporting", "admin"]


def test_rotate_makes_a_new_version_and_proves_it(site: Site) -> None:
    """What Bitwarden has afterwards logs in, what it had before does not, and the exit status is 0."""
    ran = site.run("rotate", "reporting", "--json")
    assert (ran.code, ran.words) == (0, {"reporting": "rotated"})
    assert site.logs_in("reporting", site.password("reporting/db"))
    assert not site.logs_in("reporting", site.first["reporting"])
    outcome = ran.outcomes["reporting"]
    assert (outcome["version"], outcome["old_value"], outcome["new_value"]) == (1, "refused", "works")
    assert outcome["steps"][-1]["step"] == outcome["outcome"]
    assert len(site.records("reporting")) == 1


def test_rotate_begins_from_nothing_where_there_is_an_admin(site: Site) -> None:
    """No password of the role was stored; the admin sets the first one."""
    ran = site.run("rotate", "etl")
    assert ran.code == 0
    assert site.logs_in("etl", site.password())
    stored = json.loads(site.current().value)
    assert (stored["conn_type"], stored["login"]) == ("postgres", site.role("etl"))


def test_rotate_now_means_now(site: Site) -> None:
    """Not being due is no reason not to: the second call rotates again."""
    versions = [site.run("rotate", "etl", "--json").outcomes["etl"]["version"] for _ in range(2)]
    assert versions == [1, 2]


def test_rotate_takes_several_and_each_only_once(site: Site) -> None:
    """In the order given; a name that is said twice is rotated once."""
    ran = site.run("rotate", "reporting", "etl", "reporting", "--json")
    assert list(ran.words.items()) == [("reporting", "rotated"), ("etl", "rotated")]


def test_a_dry_run_asks_and_changes_nothing(site: Site) -> None:
    """Vault and target are as they were, and the answer says what would be done."""
    before = site.everything()
    ran = site.run("rotate", *NAMES, "--dry-run", "--json")
    assert ran.code == 0
    assert set(ran.words.values()) == {"planned"}
    assert "a new version would be made" in ran.told("etl")
    assert "it would be given one" in ran.told("reporting")
    assert site.everything() == before


def test_plan_tells_what_the_next_run_would_do(site: Site) -> None:
    """Before the first rotation everything with a schedule is due, afterwards nothing is."""
    before = site.run("plan", "--json")
    assert (before.code, before.words) == (
        0,
        {"etl": "planned", "reporting": "planned", "admin": "unchanged"},
    )
    assert "manual" in before.told("admin")
    site.run("rotate", "etl", "reporting")
    assert set(site.run("plan", "--json").words.values()) == {"unchanged"}


def test_plan_reads_no_value_and_asks_no_target(site: Site) -> None:
    """One list of names is all that it needs, also while the target is away."""
    site.change_entries(f"port: {site.postgres.port}", "port: 1")
    site.bitwarden.clear_requests()
    assert site.run("plan").code == 0
    asked = {(line.verb, line.path.rsplit("/", 1)[-1]) for line in site.bitwarden.requests()}
    assert asked == {("GET", "projects"), ("GET", "secrets")}


def test_status_tells_version_age_and_the_date_when_it_is_due(site: Site) -> None:
    """And whether an agent runs, in the document for programs."""
    site.run("rotate", "etl")
    ran = site.run("status", "--json")
    assert ran.code == 0
    assert ran.words == {"etl": "ok", "reporting": "planned", "admin": "ok"}
    assert ran.outcomes["etl"]["version"] == 1
    assert ran.told("etl").startswith("less than 1m old; due ")
    assert ran.told("reporting").startswith("no version yet; never rotated")
    assert isinstance(ran.json["agent"]["pid"], int)


def test_verify_proves_and_changes_nothing(site: Site) -> None:
    """A credential that was never rotated and is not stored is no mistake."""
    before = site.everything()
    ran = site.run("verify", "--json")
    assert (ran.code, ran.words) == (0, {"etl": "unchanged", "reporting": "ok", "admin": "ok"})
    assert site.everything() == before


def test_retire_finishes_what_was_interrupted_and_begins_nothing(site: Site) -> None:
    """A version that was written down and applied, and whose author is gone, becomes CURRENT."""
    site.run("rotate", "etl")
    before = site.current()
    site.run("rotate", "etl")
    site.bitwarden.edit_secret(before.id, value=before.value, note=before.note)  # CURRENT was not written
    assert not site.logs_in("etl", site.password())
    ran = site.run("retire", "etl", "--json")
    assert (ran.code, ran.words) == (0, {"etl": "recovered"})
    assert site.logs_in("etl", site.password())
    assert site.run("retire", "etl", "--json").words == {"etl": "unchanged"}


@pytest.mark.parametrize("command", ["plan", "status", "verify", "retire"])
def test_without_names_all_entries_are_meant_and_with_names_only_these(site: Site, command: str) -> None:
    """In the order of the inventory, or as asked for; `plan` tells them in the order of the run."""
    assert list(site.run(command, "--json").words) == NAMES
    asked = ["etl", "admin"] if command == "plan" else ["admin", "etl"]
    assert list(site.run(command, "admin", "etl", "--json").words) == asked


@pytest.mark.parametrize(
    "arguments",
    [("check",), ("plan",), ("status",), ("verify",), ("retire",), ("rotate", *NAMES)],
    ids=lambda arguments: arguments[0],
)
def test_json_is_one_document_on_standard_output(site: Site, arguments: tuple[str, ...]) -> None:
    """Every outcome has the same keys; words for people go to standard error."""
    ran = site.run(*arguments, "--json")
    assert ran.code == 0
    assert [one["name"] for one in ran.json["credentials"]] == NAMES
    assert all(set(one) == SHAPE for one in ran.json["credentials"])
    assert ran.json["problems"] == []
    assert ran.err.splitlines()[-1].startswith("3 credentials: ")


@pytest.mark.parametrize(
    "arguments",
    [("check",), ("plan",), ("status",), ("verify",), ("retire",), ("rotate", *NAMES)],
    ids=lambda arguments: arguments[0],
)
def test_without_json_a_person_reads_a_line_for_each_credential(
    site: Site, arguments: tuple[str, ...]
) -> None:
    """Name and outcome stand at the beginning of a line; the last line sums up."""
    ran = site.run(*arguments)
    first_words = [line.split()[0] for line in ran.out.splitlines() if not line.startswith(" ")]
    assert first_words == ["credential", *NAMES]
    assert ran.err.splitlines()[-1].startswith("3 credentials: ")


def test_as_a_program_of_its_own_it_says_each_step_on_standard_error(site: Site) -> None:
    """What an operator sees: progress and steps while it works, the result at the end."""
    ran = site.run_process("rotate", "etl", "--json")
    assert (ran.code, ran.words) == (0, {"etl": "rotated"})
    lines = [line.strip() for line in ran.err.splitlines()]
    assert lines[0] == "[1/1] rotating etl"
    assert "etl: applied, version 1" in lines
    assert "etl: rotated, version 1 is CURRENT, and proved" in lines
    assert lines[-1] == "1 credential: 1 rotated"


def test_as_a_program_of_its_own_it_needs_no_airflow(site: Site) -> None:
    """For the day when Airflow is down: nothing of it is imported."""
    code = (
        "import sys; sys.argv = ['x', 'verify', 'reporting']\n"
        "from credential_rotation.cli.main import main\n"
        "try: main()\n"
        "except SystemExit as end: print(end.code, sorted(n for n in sys.modules if n.startswith('airflow')))"
    )
    assert site.run_python(code).out.splitlines()[-1] == "0 []"


@pytest.mark.parametrize("command", ["check", "plan", "rotate", "verify", "retire", "status"])
def test_help_of_each_command_says_what_it_does(site: Site, command: str) -> None:
    """Before anything is configured."""
    ran = site.run(command, "--help", ROTATION_INCLUDE="/nowhere")
    assert ran.code == 0
    assert "--json" in ran.out


def test_the_commands_are_listed_with_a_whole_sentence_each(site: Site) -> None:
    """Nothing is cut off at 80 columns."""
    ran = site.run("--help")
    assert ran.code == 0
    assert "..." not in ran.out.partition("Commands:")[2]
