"""The secrets backend as Airflow uses it: made everywhere, asked for connections, variables and options."""

import asyncio
import json
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from bitwarden_vault.client import VaultClient
from bitwarden_vault.freshness import fresh_lookups
from bitwarden_vault.settings import PASSED_ON, read_settings
from sandbox.bitwarden import Fault
from scenes.vault.scene import VaultScene

pytest_plugins = ["sandbox.bitwarden.fixtures", "scenes.vault.fixtures"]

if TYPE_CHECKING:
    from bitwarden_vault.backend import BitwardenSecretsBackend

Make: TypeAlias = "Callable[..., BitwardenSecretsBackend]"
CONNECTION = json.dumps({"conn_type": "postgres", "host": "db", "login": "etl", "password": "pw-1"})


@pytest.fixture(scope="module")
def backend_class(tmp_path_factory: pytest.TempPathFactory) -> Iterator["type[BitwardenSecretsBackend]"]:
    """The class, with an Airflow home of its own; importing Airflow is slow, so only here."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("AIRFLOW_HOME", str(tmp_path_factory.mktemp("airflow")))
        from bitwarden_vault.backend import BitwardenSecretsBackend  # noqa: PLC0415 - after AIRFLOW_HOME is set

        yield BitwardenSecretsBackend


@pytest.fixture
def make(
    backend_class: "type[BitwardenSecretsBackend]", vault: VaultScene, monkeypatch: pytest.MonkeyPatch
) -> Make:
    """Makes one as Airflow does, in an environment that leads to the scene's vault."""
    for name in PASSED_ON:
        monkeypatch.delenv(name, raising=False)
    for name, text in vault.environ.items():
        monkeypatch.setenv(name, text)

    def made(**kwargs: Any) -> "BitwardenSecretsBackend":  # noqa: ANN401 - as Airflow hands them over
        from airflow.sdk import Connection  # noqa: PLC0415 - after AIRFLOW_HOME is set

        backend = backend_class(**kwargs)
        backend._set_connection_class(Connection)
        return backend

    return made


@pytest.fixture
def refusal(backend_class: "type[BitwardenSecretsBackend]") -> type[Exception]:
    """The one error that ends Airflow's search and shows its reason."""
    assert backend_class  # so that Airflow's home is set
    from airflow.sdk.exceptions import AirflowSecretsBackendAccessDenied  # noqa: PLC0415 - as above

    return AirflowSecretsBackendAccessDenied


class Other:
    """A backend that somebody has had for long, without teams, as before Airflow 3.2."""

    def __init__(self, **known: str) -> None:
        self.known = known

    def get_connection(self, conn_id: str) -> str | None:
        """What it has."""
        return self.get_variable(conn_id)

    def get_variable(self, key: str) -> str | None:
        """What it has, or its own kind of outage."""
        if key == "broken":
            raise ConnectionError("the password geheim was refused")
        return self.known.get(key)

    get_config = get_variable


OTHER = f"{__name__}.Other"


def test_connections_variables_and_options_are_found_under_their_prefixes(
    make: Make, vault: VaultScene
) -> None:
    """As the other providers' backends name them."""
    vault.put("airflow/connections/warehouse", CONNECTION)
    vault.put("airflow/variables/colour", "blue ")
    vault.put("airflow/config/sql_conn", "postgres://…")
    backend = make()
    found = backend.get_connection("warehouse")
    assert (found.conn_type, found.login, found.password) == ("postgres", "etl", "pw-1")
    assert (backend.get_variable("colour"), backend.get_config("sql_conn")) == ("blue ", "postgres://…")
    assert [backend.get_connection("no"), backend.get_variable("no"), backend.get_config("no")] == [None] * 3


def test_own_prefixes_separators_and_kinds_switched_off(make: Make, vault: VaultScene) -> None:
    """Nothing is asked for a kind that is off."""
    vault.put("team-warehouse", CONNECTION)
    vault.put("colour", "blue")
    backend = make(connections_prefix="team", sep="-", variables_prefix="", config_prefix=None)
    assert backend.get_connection("warehouse").login == "etl"
    assert backend.get_variable("colour") == "blue"
    vault.workplace.bitwarden.clear_requests()
    assert backend.get_config("x") is None
    assert vault.workplace.bitwarden.requests() == []


def test_a_name_that_no_pattern_wants_costs_no_request(make: Make, vault: VaultScene) -> None:
    """Case does not matter, as with the other backends."""
    vault.put("airflow/connections/BW_x", CONNECTION)
    backend = make(connections_lookup_pattern="^bw_", variables_lookup_pattern="^never$")
    assert backend.get_connection("BW_x") is not None
    vault.workplace.bitwarden.clear_requests()
    assert (backend.get_connection("other"), backend.get_variable("other")) == (None, None)
    assert vault.workplace.bitwarden.requests() == []


def test_making_one_never_fails_and_what_is_wrong_is_said_at_a_lookup(
    make: Make, refusal: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Airflow makes one even for `airflow db migrate`."""
    backend = make(conections_prefix="x")
    with pytest.raises(refusal, match="connections_prefix"):
        backend.get_variable("x")
    with pytest.raises(refusal, match="no project 'nowhere'"):
        make(projects=["nowhere"], on_outage="fall_through").get_connection("x")
    with pytest.raises(refusal, match="cannot work: cache_life is not a duration"):
        make(cache_life="soon").get_connection("x")
    with pytest.raises(refusal, match="cannot work: server_url must begin with https"):
        make(server_url="http://x").get_connection("x")
    monkeypatch.delenv("BWS_ACCESS_TOKEN")
    with pytest.raises(refusal, match="BWS_ACCESS_TOKEN is missing"):
        make().get_connection("x")


def test_an_outage_is_no_miss(make: Make, vault: VaultScene, refusal: type[Exception]) -> None:
    """Airflow would say "not defined", and take a variable's default; the reason is Bitwarden's."""
    vault.workplace.bitwarden.revoke_token(vault.workplace.token)
    for ask in (make().get_connection, make().get_variable, make().get_config):
        with pytest.raises(refusal, match="invalid_client"):
            ask("x")


def test_where_it_is_configured_so_an_outage_falls_through_with_a_warning(
    make: Make, vault: VaultScene, caplog: pytest.LogCaptureFixture
) -> None:
    """For deployments whose environment or database has a second copy."""
    vault.workplace.bitwarden.revoke_token(vault.workplace.token)
    with caplog.at_level(logging.WARNING):
        assert make(on_outage="fall_through").get_connection("x") is None
    assert "the connection 'x'" in caplog.text
    assert "looks elsewhere" in caplog.text


def test_a_value_that_is_no_connection_is_named_and_not_shown(
    make: Make, vault: VaultScene, refusal: type[Exception]
) -> None:
    """B1: with its id, so that it can be found; "not defined" would send people looking elsewhere."""
    made = vault.put("airflow/connections/x", "geheim")
    with pytest.raises(refusal, match=f"{made}.*conn_type") as caught:
        make().get_connection("x")
    assert "geheim" not in str(caught.value)


def test_a_team_has_its_own_first(make: Make, vault: VaultScene) -> None:
    """B8: then what is everybody's, as the backends of Amazon and HashiCorp do it."""
    vault.put("airflow/variables/red--colour", "red")
    vault.put("airflow/variables/colour", "everybody's")
    backend = make()
    assert backend.get_variable("colour", team_name="red") == "red"
    assert backend.get_variable("colour", team_name="blue") == "everybody's"
    assert backend.get_variable("colour") == "everybody's"


def test_with_teams_nobody_spells_out_anothers_name(
    make: Make, vault: VaultScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B8: without teams such a name is one like any other."""
    vault.put("airflow/variables/red--colour", "red")
    assert make().get_variable("red--colour") == "red"
    monkeypatch.setenv("AIRFLOW__CORE__MULTI_TEAM", "True")
    assert make().get_variable("red--colour") is None
    assert make().get_variable("red--colour", team_name="blue") is None


def test_another_backend_behind_it_has_what_bitwarden_has_not(make: Make, vault: VaultScene) -> None:
    """B4: and patterns decide who is asked first."""
    vault.put("airflow/variables/both", "bitwarden's")
    vault.put("airflow/variables/legacy_both", "bitwarden's")
    known = {"both": "other's", "legacy_both": "other's", "alone": "other's"}
    backend = make(next_backend=OTHER, next_backend_kwargs=json.dumps(known), next_first_pattern="^legacy_")
    names = ("both", "legacy_both", "alone", "nowhere")
    assert [backend.get_variable(name, team_name="red") for name in names] == [
        "bitwarden's",
        "other's",
        "other's",
        None,
    ]
    assert (backend.get_connection("alone"), backend.get_config("alone")) == ("other's", "other's")


def test_a_real_backend_behind_it_makes_the_kind_of_connection_that_was_asked_for(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B4: Airflow tells its backends which class to make, and ours passes it on."""
    monkeypatch.setenv("AIRFLOW_CONN_LEGACY", "postgres://etl:pw@db/w")
    path = "airflow.secrets.environment_variables.EnvironmentVariablesBackend"
    found = make(next_backend=path).get_connection("legacy")
    assert (type(found).__module__, found.login) == ("airflow.sdk.definitions.connection", "etl")


_IN_A_LOOP = """
import asyncio
from airflow.sdk import Connection
from bitwarden_vault.backend import BitwardenSecretsBackend

backend = BitwardenSecretsBackend()
backend._set_connection_class(Connection)

async def ask():
    return backend.get_connection("x").login

print(asyncio.run(ask()), flush=True)
pid = os.fork()
if pid == 0:
    print(asyncio.run(ask()), flush=True)
    os._exit(0)
os.waitpid(pid, 0)
"""


def test_it_answers_inside_a_running_event_loop_and_in_forked_children(
    vault: VaultScene, tmp_path: Path
) -> None:
    """B3: as a trigger calls it; nothing of it is bound to a loop, a thread or a process."""
    vault.put("airflow/connections/x", CONNECTION)
    scene = replace(vault, environ={**vault.environ, "AIRFLOW_HOME": str(tmp_path)})
    [told] = scene.run(_IN_A_LOOP)
    assert told.splitlines()[-2:] == ["etl", "etl"]


def test_an_outage_inside_an_event_loop_is_named_and_costs_one_deadline(
    make: Make, vault: VaultScene, refusal: type[Exception]
) -> None:
    """B3: a trigger would go on with an empty connection, as somebody else."""
    vault.workplace.bitwarden.fault(Fault("hang", verb="GET"))
    backend = make(deadline="1s")

    async def in_a_loop() -> None:
        backend.get_connection("x")

    began = time.monotonic()
    with pytest.raises(refusal, match="no answer within 1 s"):
        asyncio.run(in_a_loop())
    assert time.monotonic() - began < 5


def test_the_next_backends_outage_is_one_too_and_its_text_is_not_shown(
    make: Make, refusal: type[Exception]
) -> None:
    """It may hold a value."""
    backend = make(next_backend=OTHER)
    with pytest.raises(refusal, match="Other raised ConnectionError") as caught:
        backend.get_variable("broken")
    assert "geheim" not in str(caught.value)
    assert make(next_backend=OTHER, on_outage="fall_through").get_variable("broken") is None
    with pytest.raises(refusal, match=r"next_backend 'no\.such\.Class' cannot be imported"):
        make(next_backend="no.such.Class").get_variable("x")


def test_options_of_the_backend_win_over_the_environment(
    make: Make, vault: VaultScene, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A token file and an address, as JSON in Airflow's configuration."""
    vault.put("airflow/variables/colour", "blue")
    file = tmp_path / "token"
    file.write_text(vault.environ["BWS_ACCESS_TOKEN"])
    monkeypatch.setenv("BWS_ACCESS_TOKEN", "0.wrong")
    monkeypatch.delenv("BWS_API_URL")
    monkeypatch.delenv("BWS_IDENTITY_URL")
    monkeypatch.setenv("BWS_SERVER_URL", "https://nowhere.example")
    backend = make(
        access_token_file=str(file),
        api_url=vault.environ["BWS_API_URL"],
        identity_url=vault.environ["BWS_IDENTITY_URL"],
    )
    assert backend.get_variable("colour") == "blue"


def test_a_token_that_is_refused_is_read_again_at_the_next_lookup(
    make: Make, vault: VaultScene, refusal: type[Exception], tmp_path: Path
) -> None:
    """Whoever renews it replaces the file; no process has to be restarted for that."""
    vault.put("airflow/variables/colour", "blue")
    bitwarden, file = vault.workplace.bitwarden, tmp_path / "token"
    revoked = bitwarden.create_token(vault.workplace.account)
    bitwarden.revoke_token(revoked)
    file.write_text(revoked)
    backend = make(access_token_file=str(file))
    with pytest.raises(refusal, match="invalid_client"):
        backend.get_variable("colour")
    VaultClient(read_settings({**vault.environ, "BWS_ACCESS_TOKEN": revoked})).stop()
    file.write_text(vault.environ["BWS_ACCESS_TOKEN"])
    assert backend.get_variable("colour") == "blue"


def test_within_a_block_that_wants_it_answers_are_bitwardens_own(make: Make, vault: VaultScene) -> None:
    """Who proves that a value works where it is used must not be shown the one from before."""
    made = vault.put("airflow/variables/colour", "blue")
    backend = make()
    assert backend.get_variable("colour") == "blue"
    vault.workplace.bitwarden.edit_secret(made, value="red")
    assert backend.get_variable("colour") == "blue"
    with fresh_lookups():
        assert backend.get_variable("colour") == "red"
    assert backend.get_variable("colour") == "red"


def test_a_hanging_bitwarden_costs_the_deadline(
    make: Make, vault: VaultScene, refusal: type[Exception]
) -> None:
    """The task ends with the reason."""
    vault.workplace.bitwarden.fault(Fault("hang", verb="GET"))
    with pytest.raises(refusal, match=r"no answer within 1 s"):
        make(deadline="1s").get_connection("x")
