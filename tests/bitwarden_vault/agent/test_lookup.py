"""Secrets by their key: none, one and several are three answers; what is remembered is never too old."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from bitwarden_vault.client import VaultClient
from bitwarden_vault.errors import Ambiguous, Misconfigured
from scenes.vault.scene import VaultScene, until

pytest_plugins = ["sandbox.bitwarden.fixtures", "scenes.vault.fixtures"]


def _value(client: VaultClient, key: str = "k", *projects: str, fresh: bool = False) -> str | None:
    found = client.find_secret(key, projects, fresh=fresh)
    return None if found is None else found.value


def _asked(vault: VaultScene) -> list[str]:
    """What Bitwarden was asked for, logins left out."""
    paths = [line.path for line in vault.workplace.bitwarden.requests()]
    return [
        path.rsplit("/", 2)[1 if path.startswith("/api/secrets/") else 2] for path in paths if "api" in path
    ]


def test_a_secret_is_found_by_its_key(vault: VaultScene) -> None:
    """With all that a read by id tells; a name that nothing has is None."""
    made = vault.put("airflow/connections/a", "välue €", "a note")
    assert vault.client.find_secret("airflow/connections/a") == vault.client.get_secret(made)
    assert vault.client.find_secret("airflow/connections/b") is None
    assert vault.client.find_secret("AIRFLOW/connections/a") is None


def test_two_of_one_name_are_an_error_that_tells_their_ids(vault: VaultScene) -> None:
    """Whichever were taken, half of the changes would go unnoticed."""
    ids = {vault.put("twice"), vault.put("twice")}
    with pytest.raises(Ambiguous, match="2 secrets have the key 'twice'") as caught:
        vault.client.find_secret("twice")
    assert all(one in caught.value.message for one in ids)


def test_a_second_one_is_noticed_by_who_wants_a_fresh_answer(vault: VaultScene) -> None:
    """Also where the agent knows the first: whoever replaced it would find the old value served for ever."""
    vault.put("k", "first")
    assert _value(vault.client) == "first"
    vault.put("k", "second")
    with pytest.raises(Ambiguous, match="2 secrets have the key 'k'"):
        _value(vault.client, fresh=True)


def test_only_the_configured_projects_count(vault: VaultScene) -> None:
    """By name or by id; the same key elsewhere is somebody else's."""
    workplace = vault.workplace
    other_name = f"other of {workplace.project_name}"
    other = workplace.bitwarden.create_project(other_name)
    workplace.bitwarden.grant(workplace.account, other_name, "read")
    workplace.bitwarden.put_secret(project=other_name, key="k", value="other's")
    vault.put("k", "ours")
    for project in (workplace.project_name, workplace.project, workplace.project.upper()):
        assert _value(vault.client, "k", project) == "ours"
    assert _value(vault.client, "k", other) == "other's"
    with pytest.raises(Ambiguous):
        vault.client.find_secret("k", [other_name, workplace.project_name])


@pytest.mark.parametrize("project", ["nowhere", "6b1e7a3c-0000-4000-8000-000000000000"])
def test_a_project_that_nobody_sees_is_named_with_those_that_are_seen(
    vault: VaultScene, project: str
) -> None:
    """A miss would send Airflow on to the next backend without a word."""
    with pytest.raises(Misconfigured, match=f"no project '{project}'") as caught:
        vault.client.find_secret("k", [project])
    assert vault.workplace.project_name in caught.value.message


@pytest.mark.parametrize("by", ["name", "id"])
def test_a_project_that_is_no_longer_seen_is_no_miss_either(vault: VaultScene, by: str) -> None:
    """Who knew the secret is told why it is not there, at once by a fresh answer."""
    workplace = vault.workplace
    project = workplace.project_name if by == "name" else workplace.project
    vault.put("k")
    assert _value(vault.client, "k", project) == "v"
    workplace.bitwarden.grant(workplace.account, workplace.project_name, None)
    with pytest.raises(Misconfigured, match=f"no project '{project}'"):
        _value(vault.client, "k", project, fresh=True)


def test_a_second_lookup_asks_nobody(vault: VaultScene) -> None:
    """Nor does a second miss, nor the lookup of another process."""
    vault.put("k", "kept")
    for _ in range(3):
        assert _value(vault.client) == "kept"
        assert _value(vault.client, "missing") is None
    assert vault.run("print(client.find_secret('k').value)") == ["kept"]
    assert _asked(vault) == ["secrets", "secrets"]
    assert vault.logins() == 1


def test_a_value_is_forgotten_after_its_life(vault: VaultScene) -> None:
    """It is removed from memory, not merely unused."""
    made, client = vault.put("k", "before"), vault.client_with(cache_life=0.4)
    assert _value(client) == "before"
    vault.workplace.bitwarden.edit_secret(made, value="after")
    assert _value(client) == "before"
    until(lambda: client.status()["remembered"] == 0, "the agent forgets it", within=2.0)
    assert _value(client) == "after"


def test_a_life_of_nothing_asks_bitwarden_each_time(vault: VaultScene) -> None:
    """Several at once may share one answer, if it was asked for after all of them."""
    made, client = vault.put("k", "before"), vault.client_with(cache_life=0.0)
    assert (_value(client), client.status()["remembered"]) == ("before", 0)
    vault.workplace.bitwarden.edit_secret(made, value="after")
    assert _value(client) == "after"
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: _value(client), range(32))) == {"after"}
    assert client.status()["remembered"] == 0
    assert vault.logins() == 1


def test_who_wants_values_kept_for_less_gets_no_older_one_whoever_started_the_agent(
    vault: VaultScene,
) -> None:
    """And who wants them kept for longer than the agent does gets none that is older than the agent keeps."""
    made, short = vault.put("k", "before"), vault.client_with(cache_life=0.3)
    assert _value(vault.client) == "before"
    vault.workplace.bitwarden.edit_secret(made, value="after")
    assert _value(vault.client) == "before"
    time.sleep(0.4)
    assert _value(short) == "after"
    vault.client.stop()
    assert _value(short) == "after"
    vault.workplace.bitwarden.edit_secret(made, value="last")
    time.sleep(0.4)
    assert _value(vault.client) == "last"


@pytest.mark.parametrize(("seconds", "remembered"), [("0", 0), ("9999999", 1)])
def test_a_note_may_shorten_that_life_and_never_lengthen_it(
    vault: VaultScene, seconds: str, remembered: int
) -> None:
    """Of a role that is rotated in place the old value is dead at once."""
    made = vault.put("k", "before", f'text\n\n```bitwarden-vault\n{{"cache_seconds": "{seconds}"}}\n```')
    client = vault.client_with(cache_life=1.0)
    assert _value(client) == "before"
    assert client.status()["remembered"] == remembered
    vault.workplace.bitwarden.edit_secret(made, value="after")
    until(lambda: _value(client) == "after", "it is asked again", within=2.0)


def test_what_this_agent_changes_is_never_remembered_wrongly(vault: VaultScene) -> None:
    """Update, delete, and a create after a miss are seen by the next lookup."""
    client, project = vault.client, vault.workplace.project
    assert _value(client) is None
    made = client.create_secret(key="k", value="one", note="", project_id=project)
    assert _value(client) == "one"
    client.update_secret(made.id, key="k", value="two", note="", project_id=project)
    assert _value(client) == "two"
    client.update_secret(made.id, key="renamed", value="two", note="", project_id=project)
    assert _value(client) is None
    assert _value(client, "renamed") == "two"
    client.delete_secrets([made.id])
    assert _value(client, "renamed") is None


def test_who_wants_a_fresh_answer_sees_what_people_just_did(vault: VaultScene) -> None:
    """A new value, a new secret, a deleted one."""
    made = vault.put("k", "before")
    assert (_value(vault.client), _value(vault.client, "new")) == ("before", None)
    vault.workplace.bitwarden.edit_secret(made, value="after")
    vault.put("new", "there")
    assert (_value(vault.client), _value(vault.client, "new")) == ("before", None)
    assert _value(vault.client, fresh=True) == "after"
    assert _value(vault.client, "new", fresh=True) == "there"
    vault.workplace.bitwarden.trash(made)
    assert _value(vault.client, fresh=True) is None


@pytest.mark.parametrize("change", ["renamed", "trashed", "moved"])
def test_an_id_that_leads_elsewhere_is_looked_up_anew(vault: VaultScene, change: str) -> None:
    """The key's new holder is found, though the list that was read before did not have it."""
    workplace, client = vault.workplace, vault.client_with(cache_life=0.1)
    made = vault.put("k", "old holder")
    assert _value(client, "k", workplace.project) == "old holder"
    if change == "renamed":
        workplace.bitwarden.edit_secret(made, key="other")
    elif change == "trashed":
        workplace.bitwarden.trash(made)
    else:
        other = f"other of {workplace.project_name}"
        moved_to = workplace.bitwarden.create_project(other)
        workplace.bitwarden.grant(workplace.account, other, "write")
        organization = workplace.bitwarden.organization_id
        workplace.client.secrets().update(organization, made, "k", "old holder", "", [moved_to])
    vault.put("k", "new holder")
    until(lambda: client.status()["remembered"] == 0, "the value's life is over")
    assert _value(client, "k", workplace.project) == "new holder"


def test_a_permission_that_was_taken_away_is_a_miss(vault: VaultScene) -> None:
    """The server does not tell it from a deletion."""
    workplace, client = vault.workplace, vault.client_with(cache_life=0.1)
    vault.put("k")
    assert _value(client) == "v"
    workplace.bitwarden.grant(workplace.account, workplace.project_name, None)
    until(lambda: client.status()["remembered"] == 0, "the value's life is over")
    assert _value(client) is None
