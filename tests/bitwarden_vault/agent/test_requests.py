"""What the vault answers through the agent, and where the server's own ways are smoothed."""

import subprocess
import sys
from uuid import uuid4

import pytest

from bitwarden_vault.client import VaultClient
from bitwarden_vault.errors import (
    InvalidRequest,
    Misconfigured,
    NoPermission,
    NotFound,
    OutcomeUnknown,
    RefusedToken,
    Unreachable,
)
from bitwarden_vault.nouns import Project
from bitwarden_vault.settings import read_settings
from sandbox.bitwarden import Fault
from sandbox.places import PLUGINS
from scenes.vault.scene import VaultScene

pytest_plugins = ["sandbox.bitwarden.fixtures", "scenes.vault.fixtures"]


def test_a_secret_from_its_creation_to_the_trash(vault: VaultScene) -> None:
    """Each operation through agent, worker and the real SDK, and what the vault holds in the end."""
    client, project = vault.client, vault.workplace.project
    made = client.create_secret(key="a key", value="välue € \n ", note="a note", project_id=project)
    assert (made.key, made.value, made.note, made.project_id) == ("a key", "välue € \n ", "a note", project)
    assert client.get_secret(made.id) == made
    changed = client.update_secret(made.id, key="other", value="new", note="", project_id=project)
    assert (changed.id, changed.key, changed.value, changed.note) == (made.id, "other", "new", "")
    assert changed.revision_date > changed.creation_date == made.creation_date
    assert changed.revision_date.utcoffset() is not None
    assert [(one.id, one.key, one.project_id) for one in client.list_secrets()] == [
        (made.id, "other", project)
    ]
    client.delete_secrets([made.id])
    assert vault.workplace.stored() == []


def test_projects_that_the_account_can_see(vault: VaultScene) -> None:
    """Names and ids."""
    assert vault.client.list_projects() == (Project(vault.workplace.project, vault.workplace.project_name),)


def test_no_repr_shows_a_value(vault: VaultScene) -> None:
    """Neither of a secret nor of the settings, which hold the token and perhaps a proxy's password."""
    secret = vault.client.get_secret(vault.put(value="s3cret", note="n0te"))
    assert not any(text in repr(secret) for text in ("s3cret", "n0te"))
    assert vault.settings.token.text not in repr(vault.settings)


def test_several_secrets_come_in_the_order_asked_and_all_or_none(
    vault: VaultScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Doubled ids, which the server refuses, are asked once; pieces are put together."""
    monkeypatch.setattr("bitwarden_vault.client.BATCH", 2)
    monkeypatch.setattr("bitwarden_vault.client.FEW", 0)
    ids = [vault.put(value=str(number)) for number in range(5)]
    wanted = [ids[3], ids[3].upper(), ids[3], ids[0], ids[4], ids[1].upper()]
    assert [one.value for one in vault.client.get_secrets(wanted)] == ["3", "3", "3", "0", "4", "1"]
    assert vault.client.get_secrets([]) == ()
    vault.workplace.bitwarden.trash(ids[2])
    with pytest.raises(NotFound):
        vault.client.get_secrets(ids)


def test_a_few_secrets_are_read_one_by_one(vault: VaultScene) -> None:
    """In an order of their own, all or none; each path has its own room in the cloud's limits."""
    ids = [vault.put(value=str(number)) for number in range(3)]
    wanted = [ids[2], ids[0].upper(), ids[2], ids[1]]
    vault.workplace.bitwarden.clear_requests()
    assert [one.value for one in vault.client.get_secrets(wanted)] == ["2", "0", "2", "1"]
    asked = [(line.verb, line.path.rpartition("/")[2]) for line in vault.workplace.bitwarden.requests()]
    assert [one for one in asked if one[1] != "token"] == [("GET", ids[number]) for number in (2, 0, 1)]
    vault.workplace.bitwarden.trash(ids[1])
    with pytest.raises(NotFound):
        vault.client.get_secrets(ids)


def test_deleting_what_is_gone_already_is_fine(vault: VaultScene) -> None:
    """Also where one that is gone spares, at the server, the whole batch."""
    ids = [vault.put() for _ in range(3)]
    vault.workplace.bitwarden.trash(ids[1])
    vault.client.delete_secrets(ids)
    vault.client.delete_secrets(ids)
    vault.client.delete_secrets([])
    assert vault.workplace.stored() == []


def test_a_delete_that_is_refused_inside_a_success_is_an_error(vault: VaultScene) -> None:
    """The server answers 200 and says "access denied" per secret."""
    kept = vault.put()
    vault.workplace.bitwarden.grant(vault.workplace.account, vault.workplace.project_name, "read")
    with pytest.raises(NoPermission, match=kept):
        vault.client.delete_secrets([kept])
    assert vault.workplace.stored() == ["v"]


def test_a_delete_that_is_refused_in_part_is_unknown(vault: VaultScene) -> None:
    """Some are gone by now, so that it cannot be told as a refusal; the message has those that are left."""
    other = f"other of {vault.workplace.project_name}"
    vault.workplace.bitwarden.create_project(other)
    vault.workplace.bitwarden.grant(vault.workplace.account, other, "read")
    theirs = vault.workplace.bitwarden.put_secret(project=other, key="k", value="v")
    with pytest.raises(OutcomeUnknown, match=f"only some were deleted; .*{theirs}"):
        vault.client.delete_secrets([vault.put(), theirs])
    assert vault.workplace.stored() == []


def test_what_is_not_there_and_what_is_not_ours_look_the_same(vault: VaultScene) -> None:
    """Reading, and writing with a grant that only reads."""
    kept = vault.put()
    project = vault.workplace.project
    vault.workplace.bitwarden.grant(vault.workplace.account, vault.workplace.project_name, "read")
    with pytest.raises(NotFound):
        vault.client.get_secret(str(uuid4()))
    with pytest.raises(NotFound):
        vault.client.update_secret(kept, key="k", value="x", note="", project_id=project)
    with pytest.raises(NotFound):
        vault.client.create_secret(key="k", value="x", note="", project_id=project)
    assert vault.workplace.stored() == ["v"]


INVALID = {
    "an empty value": ("k", "", "value must not be empty"),
    "a value that is too long": ("k", "x" * 25_001, "value must not exceed 25000 characters"),
    "a key that only the server finds too long": ("é" * 400, "v", "400"),
}


@pytest.mark.parametrize(("key", "value", "said"), INVALID.values(), ids=INVALID.keys())
def test_a_request_that_cannot_work_is_told_apart(vault: VaultScene, key: str, value: str, said: str) -> None:
    """Sending it again cannot help; the message names field or limit, not the content."""
    with pytest.raises(InvalidRequest, match=said) as caught:
        vault.client.create_secret(key=key, value=value, note="", project_id=vault.workplace.project)
    assert "xx" not in caught.value.message
    assert "éé" not in caught.value.message


def test_an_id_that_is_none(vault: VaultScene) -> None:
    """It is not even sent."""
    with pytest.raises(InvalidRequest, match="UUID"):
        vault.client.get_secret("not-an-id")


def test_a_refused_token_names_the_causes_and_the_addresses(vault: VaultScene) -> None:
    """Once refused it is not asked about again at once, so that many tasks are not many logins."""
    vault.workplace.bitwarden.revoke_token(vault.workplace.token)
    for _ in range(5):
        with pytest.raises(RefusedToken, match="expired or was revoked") as caught:
            vault.client.list_projects()
    assert vault.settings.identity_url in caught.value.message
    assert vault.logins() == 1


def test_a_token_with_a_wrong_seed_is_refused(vault: VaultScene) -> None:
    """The server takes it, and the payload cannot be decrypted."""
    text = vault.environ["BWS_ACCESS_TOKEN"].partition(":")[0] + ":" + "AAAAAAAAAAAAAAAAAAAAAA=="
    client = VaultClient(read_settings({**vault.environ, "BWS_ACCESS_TOKEN": text}))
    with pytest.raises(RefusedToken, match="after ':'"):
        client.list_projects()
    client.stop()


def test_an_organisation_that_is_not_the_tokens(vault: VaultScene) -> None:
    """An error of the settings where the SDK notices, not found where only the server does."""
    client = VaultClient(read_settings({**vault.environ, "BWS_ORGANIZATION_ID": str(uuid4())}))
    with pytest.raises((Misconfigured, NotFound)):
        client.list_projects()
    client.stop()


NOT_TRUSTED = "an authority that is not trusted"
NO_SERVER = {
    "nobody listens": {"BWS_SERVER_URL": "https://localhost:1", "BWS_API_URL": "", "BWS_IDENTITY_URL": ""},
    NOT_TRUSTED: {"SSL_CERT_FILE": ""},
}


@pytest.mark.parametrize("changes", NO_SERVER.values(), ids=NO_SERVER.keys())
def test_a_server_that_cannot_be_reached_is_said_in_seconds(
    vault: VaultScene, changes: dict[str, str]
) -> None:
    """With the address and the possible reasons."""
    client = VaultClient(read_settings({**vault.environ, **changes}))
    with pytest.raises((Unreachable, Misconfigured), match="certificate"):
        client.list_projects()
    client.stop()


def test_a_web_page_in_place_of_an_answer_is_told_apart(vault: VaultScene) -> None:
    """A captive portal or a bot check."""
    page = "<html>Please log in</html>"
    vault.workplace.bitwarden.fault(Fault("answer", path="/identity/*", status=200, body=page))
    with pytest.raises(Unreachable):
        vault.client.list_projects()


def test_python_without_asserts_reads_the_same(vault: VaultScene) -> None:
    """`-O` changes what the SDK's Python layer returns, which nobody here asks."""
    made = vault.put()
    code = (
        "import os; from bitwarden_vault.client import VaultClient\n"
        "from bitwarden_vault.settings import read_settings\n"
        f"print(VaultClient(read_settings(os.environ)).get_secret({made!r}).project_id)"
    )
    environ = {**vault.environ, "PYTHONPATH": str(PLUGINS), "PYTHONOPTIMIZE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, check=True, text=True
    )
    assert done.stdout.strip() == vault.workplace.project
