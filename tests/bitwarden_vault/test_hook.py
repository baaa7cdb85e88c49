"""The hook takes an Airflow connection or the environment, and says which task asks."""

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from bitwarden_vault.errors import Misconfigured, NothingConfigured
from bitwarden_vault.settings import PASSED_ON
from scenes.vault.scene import VaultScene

pytest_plugins = ["sandbox.bitwarden.fixtures", "scenes.vault.fixtures"]

if TYPE_CHECKING:
    from bitwarden_vault.hook import BitwardenHook

HookClass: TypeAlias = "type[BitwardenHook]"
VARIABLES = ("BWS_ACCESS_TOKEN", "BWS_ORGANIZATION_ID", "BWS_API_URL", "BWS_IDENTITY_URL", "BWS_SERVER_URL")


@pytest.fixture(scope="module")
def hook_class(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HookClass]:
    """The class, with an Airflow home of its own; importing Airflow is slow, so only here."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("AIRFLOW_HOME", str(tmp_path_factory.mktemp("airflow")))
        from bitwarden_vault.hook import BitwardenHook  # noqa: PLC0415 - after AIRFLOW_HOME is set

        yield BitwardenHook


@pytest.fixture
def environ(vault: VaultScene, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The scene's settings, as this process's own; a proxy would make it another agent."""
    for name in PASSED_ON:
        monkeypatch.delenv(name, raising=False)
    for name, text in vault.environ.items():
        monkeypatch.setenv(name, text)
    return vault.environ


def _connection(environ: dict[str, str], **extra: str) -> str:
    given = {
        "organization_id": environ["BWS_ORGANIZATION_ID"],
        "api_url": environ["BWS_API_URL"],
        "identity_url": environ["BWS_IDENTITY_URL"],
    }
    return json.dumps(
        {"conn_type": "bitwarden", "password": environ["BWS_ACCESS_TOKEN"], "extra": {**given, **extra}}
    )


def test_without_a_connection_it_uses_the_environment(
    hook_class: HookClass, environ: dict[str, str], vault: VaultScene
) -> None:
    """As the command line and the secrets backend do."""
    assert environ
    (project,) = hook_class().get_conn().list_projects()
    assert project.name == vault.workplace.project_name


def test_a_connection_is_enough(
    hook_class: HookClass, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch, vault: VaultScene
) -> None:
    """Token in the password, the rest in the extra; what the environment says of these is overruled."""
    monkeypatch.setenv("AIRFLOW_CONN_MY_VAULT", _connection(environ))
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("BWS_SERVER_URL", "https://elsewhere.example")
    monkeypatch.setenv("BWS_ACCESS_TOKEN_FILE", "/no/such/file")
    (project,) = hook_class("my_vault").get_conn().list_projects()
    assert project.name == vault.workplace.project_name


def _second_connection(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch, password: str | None
) -> None:
    """`my_vault` names `next_vault`, which holds this; None makes no such connection."""
    monkeypatch.setenv("AIRFLOW_CONN_MY_VAULT", _connection(environ, next_conn_id="next_vault"))
    if password is not None:
        text = json.dumps({"conn_type": "bitwarden", "password": password})
        monkeypatch.setenv("AIRFLOW_CONN_NEXT_VAULT", text)


def test_a_second_connection_goes_on_where_the_first_is_refused(
    hook_class: HookClass, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch, vault: VaultScene
) -> None:
    """And everybody is told by the connections' names; the button has proved it by then."""
    bitwarden = vault.workplace.bitwarden
    _second_connection(environ, monkeypatch, bitwarden.create_token(vault.workplace.account))
    works, said = hook_class("my_vault").test_connection()
    assert (works, said.count(". ")) == (True, 1), "two good tokens are no news"
    bitwarden.revoke_token(environ["BWS_ACCESS_TOKEN"])
    bitwarden.advance_clock(4000)
    client = hook_class("my_vault").get_conn()
    try:
        assert len(client.list_projects()) == 1
        status = client.status()
    finally:
        client.stop()
    assert str(status["token"]).startswith("the connection 'next_vault' (")
    assert "Put that one into the connection 'my_vault'" in str(status["notice"])


@pytest.mark.parametrize(
    ("password", "why"),
    [
        (None, "the connection 'next_vault' is not there"),
        ("0.cut", "the connection 'next_vault' is not an access token: the part after ':' is missing"),
        ("revoked", "the second access token, the connection 'next_vault' ("),
    ],
)
@pytest.mark.usefixtures("environ")
def test_a_second_connection_that_could_not_take_over_breaks_nothing(
    hook_class: HookClass,
    monkeypatch: pytest.MonkeyPatch,
    vault: VaultScene,
    password: str | None,
    why: str,
) -> None:
    """The button says why, while there is time to make another one."""
    if password == "revoked":
        password = vault.workplace.bitwarden.create_token(vault.workplace.account)
        vault.workplace.bitwarden.revoke_token(password)
    _second_connection(vault.environ, monkeypatch, password)
    hook = hook_class("my_vault")
    works, said = hook.test_connection()
    hook.get_conn().stop()
    assert works
    assert "could not take over" in said
    assert why in said


@pytest.mark.usefixtures("environ")
def test_a_second_connection_without_a_first_token_is_told(
    hook_class: HookClass, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The token comes from the environment then, and so would its second."""
    text = json.dumps({"conn_type": "bitwarden", "extra": {"next_conn_id": "next_vault"}})
    monkeypatch.setenv("AIRFLOW_CONN_MY_VAULT", text)
    works, said = hook_class("my_vault").test_connection()
    assert works
    assert "the connection 'next_vault' is not used: the connection 'my_vault' holds no token" in said


def test_nothing_configured_is_an_error_of_its_own(
    hook_class: HookClass, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a connection that says half is told what is missing."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(NothingConfigured):
        hook_class("not_there").get_conn()
    monkeypatch.setenv(
        "AIRFLOW_CONN_HALF", '{"conn_type": "bitwarden", "extra": {"organization_id": "acme"}}'
    )
    with pytest.raises(Misconfigured, match="BWS_ACCESS_TOKEN is missing"):
        hook_class("half").get_conn()


def test_the_button_in_the_form_says_what_it_found(
    hook_class: HookClass, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch, vault: VaultScene
) -> None:
    """The projects; or why not, without the token."""
    works, said = hook_class().test_connection()
    assert (works, vault.workplace.project_name in said) == (True, True)
    monkeypatch.setenv("BWS_ACCESS_TOKEN", environ["BWS_ACCESS_TOKEN"][:-12])
    works, said = hook_class().test_connection()
    assert (works, "base64 of 16 bytes" in said) == (False, True)


def test_a_request_says_which_task_asks(
    hook_class: HookClass, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the task itself claims."""
    assert environ
    task = SimpleNamespace(dag_id="d", task_id="t", run_id="r", try_number=2)
    monkeypatch.setattr("bitwarden_vault.hook.get_current_context", lambda: {"ti": task})
    asked: list[Any] = []

    def ask(_settings: object, request: object) -> list[object]:
        asked.append(request)
        return []

    monkeypatch.setattr("bitwarden_vault.client.ask", ask)
    hook_class().get_conn().list_projects()
    assert asked[0]["caller"] == {
        "dag_id": "d", "task_id": "t", "run_id": "r", "try_number": 2, "user": "", "keeps_nothing": False,
    }  # fmt: skip


def test_airflow_knows_it_by_its_type(hook_class: HookClass) -> None:
    """What the provider's entry point and Airflow's form need."""
    assert (hook_class.conn_type, hook_class.conn_name_attr) == ("bitwarden", "bitwarden_conn_id")
    assert hook_class.hook_name == "Bitwarden Secrets Manager"
    assert hook_class.get_ui_field_behaviour()["relabeling"] == {"password": "Access token"}
