"""What a connection of type `bitwarden` may say, and what is said of one that cannot work."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import pytest

from bitwarden_vault.errors import Misconfigured
from bitwarden_vault.settings import PASSED_ON
from scenes.vault.scene import VaultScene

pytest_plugins = ["sandbox.bitwarden.fixtures", "scenes.vault.fixtures", "scenes.airflow.imported"]

if TYPE_CHECKING:
    from bitwarden_vault.hook import BitwardenHook

Hook: TypeAlias = "Callable[..., BitwardenHook]"
ADDRESSES = ("server_url", "api_url", "identity_url")
ORGANIZATION = "4384fcc5-0000-4000-8000-000000000001"


@pytest.fixture
def hook(airflow: None, vault: VaultScene, monkeypatch: pytest.MonkeyPatch) -> Hook:
    """Makes one on a connection of these fields, beside the scene's environment."""
    del airflow
    for name in PASSED_ON:
        monkeypatch.delenv(name, raising=False)
    for name, text in vault.environ.items():
        monkeypatch.setenv(name, text)
    from bitwarden_vault.hook import BitwardenHook  # noqa: PLC0415 - after AIRFLOW_HOME is set

    def made(**fields: object) -> "BitwardenHook":
        monkeypatch.setenv("AIRFLOW_CONN_MY_VAULT", json.dumps({"conn_type": "bitwarden", **fields}))
        return BitwardenHook("my_vault")

    return made


def refusal(hook: "BitwardenHook") -> str:
    """What the author of a DAG and the button in the form are told."""
    with pytest.raises(Misconfigured) as caught:
        hook.get_conn()
    assert hook.test_connection() == (False, caught.value.message)
    return caught.value.message


@pytest.mark.parametrize("name", ADDRESSES)
def test_the_environments_token_goes_nowhere_that_a_connection_says(hook: Hook, name: str) -> None:
    """Whoever may edit connections could have it sent to a machine of theirs."""
    said = refusal(hook(extra={name: "https://elsewhere.example"}))
    assert said.startswith("the connection 'my_vault' names an address and holds no token")
    assert "password" in said


def test_without_an_address_the_environments_token_stays_in_use(hook: Hook, vault: VaultScene) -> None:
    """For a connection that names another organisation alone, or nothing."""
    nothing = {**dict.fromkeys(ADDRESSES, " "), "next_conn_id": None}
    for extra in ({}, nothing, {"organization_id": vault.environ["BWS_ORGANIZATION_ID"]}):
        assert hook(extra=extra).test_connection()[0]


UNKNOWN = {
    "server": "is it 'server_url'?",
    "organisation_id": "is it 'organization_id'?",
    "nextconnid": "is it 'next_conn_id'?",
    "colour": "there is no 'colour'; there may be organization_id, server_url, ",
    "access_token": "write the access token into its password",
}


@pytest.mark.parametrize(("name", "why"), UNKNOWN.items(), ids=UNKNOWN.keys())
def test_an_extra_that_is_not_known_is_refused(hook: Hook, vault: VaultScene, name: str, why: str) -> None:
    """What was passed over was meant, and the token went to the US cloud."""
    said = refusal(hook(password=vault.workplace.token, extra={name: "geheim"}))
    assert said.startswith("the extra of the connection 'my_vault' cannot be read: ")
    assert why in said
    assert "geheim" not in said


def test_all_of_them_are_told_at_once(hook: Hook, vault: VaultScene) -> None:
    """Also beside one that is known."""
    extra = {"server": "x", "api": "y", "organization_id": vault.environ["BWS_ORGANIZATION_ID"]}
    said = refusal(hook(password=vault.workplace.token, extra=extra))
    assert "'server'" in said
    assert "'api'" in said


@pytest.mark.parametrize("extra", ["[1]", "not json", '"geheim"', "5", '{"geheim": '])
def test_an_extra_that_is_no_object_is_refused(hook: Hook, vault: VaultScene, extra: str) -> None:
    """Whatever address it was to name."""
    said = refusal(hook(password=vault.workplace.token, extra=extra))
    assert said == "the extra of the connection 'my_vault' cannot be read: it is not a JSON object"


def test_an_address_in_the_host_is_refused(hook: Hook, vault: VaultScene) -> None:
    """Nothing would use it; the message says where it belongs."""
    said = refusal(hook(password=vault.workplace.token, host="https://vault.bitwarden.eu"))
    assert said.startswith("the connection 'my_vault' has a host, which is not used: write it as server_url")


MALFORMED = {
    "a token that was cut": ("0.geheim", {}, "the connection 'my_vault' is not an access token: "),
    "an organisation that is none": (
        None,
        {"organization_id": "geheim"},
        "organization_id of the connection 'my_vault' is not an id",
    ),
    "an address without https": (
        None,
        {"server_url": "http://geheim"},
        "server_url of the connection 'my_vault' must begin with https://",
    ),
    "an address with a password in it": (
        None,
        {"server_url": "https://bob:geheim@localhost:1"},
        "server_url of the connection 'my_vault' names a user or a password",
    ),
    "half of two addresses": (
        None,
        {"api_url": "https://geheim"},
        "identity_url of the connection 'my_vault' is missing: set both, or server_url of the connection",
    ),
    "an address that is told twice": (
        None,
        {"server_url": "https://geheim", "api_url": "https://geheim"},
        "server_url of the connection 'my_vault' already says it all: remove api_url of the connection",
    ),
}


@pytest.mark.parametrize(("password", "extra", "why"), MALFORMED.values(), ids=MALFORMED.keys())
def test_a_mistake_is_told_of_the_connection_that_made_it(
    hook: Hook, vault: VaultScene, password: str | None, extra: dict[str, str], why: str
) -> None:
    """The variable of that meaning is all right, and changing it would change nothing."""
    said = refusal(hook(password=password or vault.workplace.token, extra=extra))
    assert f"Bitwarden settings cannot work: {why}" in said
    assert "BWS_" not in said
    assert "geheim" not in said


def test_a_mistake_of_the_environment_is_told_of_the_variable(
    hook: Hook, vault: VaultScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As long as the connection leaves it to the environment."""
    monkeypatch.setenv("BWS_ORGANIZATION_ID", "acme")
    assert "BWS_ORGANIZATION_ID is not an id" in refusal(hook(password=vault.workplace.token))


def test_one_token_in_both_connections_is_told_of_both(
    hook: Hook, vault: VaultScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second one that is the first could not take over from it."""
    token = vault.workplace.token
    monkeypatch.setenv("AIRFLOW_CONN_NEXT_VAULT", json.dumps({"conn_type": "bitwarden", "password": token}))
    works, said = hook(password=token, extra={"next_conn_id": "next_vault"}).test_connection()
    assert works
    assert "the connection 'next_vault' holds the same token as the connection 'my_vault'" in said
