"""Every request that the agent serves or sends is a line: what, which secret, who, how it ended; no value."""

import os
import secrets
import stat
import statistics
import time
from unittest import mock
from uuid import uuid4

import pytest

from bitwarden_vault.backend.search import Search as BackendSearch
from bitwarden_vault.client import VaultClient
from bitwarden_vault.errors import Ambiguous, NotFound, RefusedToken, VaultError
from bitwarden_vault.nouns import Caller
from bitwarden_vault.settings import PASSED_ON
from scenes.audit.audited import Audited
from scenes.audit.trail import said
from scenes.leaks.search import Search
from scenes.vault.scene import VaultScene

pytest_plugins = ["sandbox.bitwarden.fixtures", "scenes.vault.fixtures", "scenes.audit.fixtures"]


def use(audited: Audited, value: str, note: str) -> str:
    """Every operation once, most of them well."""
    client, project = audited.client, audited.scene.workplace.project
    made = client.create_secret(key="a/key", value=value, note=note, project_id=project)
    client.update_secret(made.id, key="a/key", value=f"2{value}", note=note, project_id=project)
    client.get_secret(made.id)
    with mock.patch("bitwarden_vault.client.FEW", 0):
        client.get_secrets([made.id])
    client.list_secrets()
    client.list_projects()
    client.reserve(creates=1)
    client.find_secret("a/key")
    with pytest.raises(NotFound):
        client.get_secret(str(uuid4()))
    client.delete_secrets([made.id])
    return made.id


def test_every_operation_is_a_line_with_secret_and_outcome(audited: Audited) -> None:
    """Writes two: one before they are sent, one before their answer is told."""
    made = use(audited, "v", "n")
    audited.client.stop()
    found = [(line["operation"], line["outcome"]) for line in said(audited.folder) if "for" not in line]
    assert sorted(found) == sorted(
        [
            *[
                (name, said)
                for name in ("create_secret", "update_secret", "delete_secrets")
                for said in ("sent", "ok")
            ],
            *[
                (name, "ok")
                for name in ("get_secret", "get_secrets", "list_secrets", "list_projects", "reserve")
            ],
            *[(name, "ok") for name in ("look_up", "log_in", "stop")],
            ("get_secret", "not_found"),
        ]
    )
    named = {"id": made, "key": "a/key"}
    for name in ("get_secrets", "look_up"):
        assert [line["secrets"] for line in audited.lines(name)] == [[named]]
    assert [line["secrets"] for line in audited.lines("create_secret")] == [[{"key": "a/key"}], [named]]
    assert [line["secrets"] for line in audited.lines("delete_secrets")] == [[{"id": made}]] * 2


def test_what_the_agent_asks_for_somebody_is_a_line_of_its_own(audited: Audited) -> None:
    """A lookup by name makes a list and a read."""
    audited.scene.put("k")
    audited.client.find_secret("k")
    audited.client.stop()
    found = [line for line in said(audited.folder) if line.get("for") == "look_up"]
    assert [line["operation"] for line in found] == ["list_secrets", "get_secret"]
    assert all(line["claimed"]["dag"] == "nightly" and line["sent"] == 1 for line in found)


def test_a_line_tells_who_asked_when_and_with_which_token(audited: Audited) -> None:
    """Who is claimed; the uid and the process are the kernel's word."""
    audited.client.get_secret(audited.scene.put())
    VaultClient(audited.scene.settings, Caller(user="kim")).list_projects()
    (line,), (by_person,) = audited.all_lines("get_secret"), audited.lines("list_projects")
    assert line["claimed"] == {"dag": "nightly", "task": "load", "run": "manual__1", "try": 2}
    assert by_person["claimed"] == {"user": "kim"}
    assert (line["uid"], line["pid"]) == (os.geteuid(), os.getpid())
    assert line["token"] == audited.scene.settings.token.client_id
    assert line["at"].endswith("Z")
    assert 0 < line["ms"] < 60_000


def test_what_comes_from_memory_is_a_line_too(audited: Audited) -> None:
    """And says so; the value was given out as surely as the first time."""
    audited.scene.put("k")
    for _ in range(3):
        audited.client.find_secret("k")
    assert [line["from"] for line in audited.all_lines("look_up")] == ["bitwarden", "memory", "memory"]


def test_a_name_that_matches_nothing_is_shortened(audited: Audited) -> None:
    """People paste passwords; a short one shows nothing but its length."""
    for name in ("Tr0ub4dor&3-and-more", "hunter2"):
        assert audited.client.find_secret(name) is None
        with pytest.raises(VaultError):
            audited.client.get_secret(name)
    shown = ["Tr0… (20 characters)", "… (7 characters)"]
    assert [line["secrets"][0]["key"] for line in audited.all_lines("look_up")] == shown
    assert [line["secrets"][0]["id"] for line in audited.lines("get_secret")] == shown
    assert {line["outcome"] for line in audited.lines("look_up")} == {"nothing"}


@pytest.fixture
def search(audited: Audited, monkeypatch: pytest.MonkeyPatch) -> BackendSearch:
    """What the secrets backend looks things up with, in an environment that leads to the audited agent."""
    for name in PASSED_ON:
        monkeypatch.delenv(name, raising=False)
    for name, text in audited.scene.environ.items():
        monkeypatch.setenv(name, text)
    return BackendSearch({})


def test_of_what_the_backend_misses_the_kind_is_told(audited: Audited, search: BackendSearch) -> None:
    """A typing error or a probe is recognised; what stands behind the prefix may be a password."""
    for name in ("Tr0ub4dor&3-and-more", "hunter2"):
        assert search.text("variables", name, None) is None
    assert search.connection("warehouse_eu_1", None) is None
    assert [line["secrets"][0]["key"] for line in audited.all_lines("look_up")] == [
        "airflow/variables/Tr0… (20 characters)",
        "airflow/variables/… (7 characters)",
        "airflow/connections/war… (14 characters)",
    ]


def test_the_team_that_asked_is_told(audited: Audited, search: BackendSearch) -> None:
    """B8: where it got its own, what is everybody's, and nothing."""
    audited.scene.put("airflow/variables/red--colour")
    for team in ("red", "blue", None):
        search.text("variables", "colour", team)
    lines = audited.all_lines("look_up")
    assert [line["claimed"].get("team") for line in lines] == ["red", "blue", "blue", None]
    assert [line["secrets"][0]["key"] for line in lines] == [
        "airflow/variables/red--colour",
        "airflow/variables/blue--… (6 characters)",
        *["airflow/variables/… (6 characters)"] * 2,
    ]


def test_a_name_that_several_have_is_shown(audited: Audited) -> None:
    """It stands in Bitwarden, for all to see."""
    audited.scene.put("twice")
    audited.scene.put("twice")
    with pytest.raises(Ambiguous):
        audited.client.find_secret("twice")
    (line,) = audited.all_lines("look_up")
    assert (line["secrets"], line["outcome"]) == ([{"key": "twice"}], "ambiguous")


def test_no_value_is_in_any_file_of_the_trail(audited: Audited) -> None:
    """Values, notes, tokens, names that match nothing; and nobody else can read the files."""
    value, note, pasted = (secrets.token_urlsafe(30) for _ in range(3))
    use(audited, value, note)
    audited.client.find_secret(pasted)
    with pytest.raises(VaultError):
        audited.client.get_secret(pasted)
    audited.client.stop()
    searched = Search([value, note, pasted, *audited.scene.settings.token.text.split(".", 2)[2].split(":")])
    assert searched.tree(audited.folder) == set()
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in [audited.folder, *audited.folder.rglob("*")]}
    assert {mode for path, mode in modes.items() if path.is_file()} == {0o600}
    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o700}


def test_a_login_that_is_refused_is_a_line(audited: Audited) -> None:
    """With the token that was refused."""
    audited.scene.workplace.bitwarden.revoke_token(audited.scene.settings.token.text)
    with pytest.raises(RefusedToken):
        audited.client.list_projects()
    (line,) = audited.all_lines("log_in")
    assert (line["outcome"], line["token"]) == ("refused_token", audited.scene.settings.token.client_id)


@pytest.mark.alone
def test_a_lookup_from_memory_hardly_waits_for_its_line(audited: Audited, vault: VaultScene) -> None:
    """Beside an agent that keeps no trail, turn and turn about; the flush of each second included."""
    vault.put("k")
    times: dict[str, list[float]] = {"with": [], "without": []}
    clients = {"with": audited.client, "without": vault.client}
    for turn in range(1500):
        for name, client in clients.items():
            begun = time.perf_counter()
            client.find_secret("k")
            if turn > 100:
                times[name].append(time.perf_counter() - begun)
    usual = {name: statistics.quantiles(taken, n=4)[0] for name, taken in times.items()}
    assert usual["with"] - usual["without"] < 0.0003
    assert len(audited.all_lines("look_up")) == 1500
