"""What `backend_kwargs` may say, as JSON or as raw texts, and what it says of mistakes."""

import pytest

from bitwarden_vault.backend.options import BackendOptions
from bitwarden_vault.errors import Misconfigured
from bitwarden_vault.settings import read_settings


def test_without_options_it_looks_where_the_other_backends_look() -> None:
    """Amazon's defaults."""
    options = BackendOptions({})
    assert options.prefixes == {
        "connections": "airflow/connections",
        "variables": "airflow/variables",
        "config": "airflow/config",
    }
    assert (options.sep, options.projects, options.falls_through, options.next_backend) == (
        "/",
        (),
        False,
        None,
    )


@pytest.mark.parametrize("nothing", [None, "null", "None", "  NULL "])
def test_null_switches_a_kind_off(nothing: str | None) -> None:
    """A raw text from the environment cannot say null in any other way."""
    assert BackendOptions({"variables_prefix": nothing}).prefixes["variables"] is None


def test_an_empty_prefix_looks_bare_names_up() -> None:
    """For secrets that were named before Airflow came."""
    assert BackendOptions({"connections_prefix": ""}).prefixes["connections"] == ""
    assert BackendOptions({"connections_prefix": "team/"}).prefixes["connections"] == "team"


@pytest.mark.parametrize(
    "told",
    [["a", "b c"], '["a", "b c"]', "a, b c", "a,b c,"],
    ids=["list", "json", "commas", "trailing comma"],
)
def test_projects_come_in_any_form(told: object) -> None:
    """`backend_kwargs` is JSON, a single variable of the environment is text."""
    assert BackendOptions({"projects": told}).projects == ("a", "b c")


@pytest.mark.parametrize("told", [{"x": 1}, '{"x": 1}'])
def test_the_next_backends_kwargs_come_in_any_form(told: object) -> None:
    """The same."""
    options = BackendOptions({"next_backend": "a.B", "next_backend_kwargs": told})
    assert options.next_kwargs == {"x": 1}


def test_options_stand_for_variables_of_the_environment() -> None:
    """By the names that `read_settings` knows."""
    options = BackendOptions(
        {"server_url": "https://v.example", "deadline": 5, "access_token_file": "/run/t"}
    )
    assert options.settings == {
        "BWS_SERVER_URL": "https://v.example",
        "BITWARDEN_DEADLINE": "5",
        "BWS_ACCESS_TOKEN_FILE": "/run/t",
    }


def test_all_mistakes_are_told_at_once_and_the_nearest_name() -> None:
    """Whoever configures Airflow restarts it for each of them otherwise."""
    wrong = {
        "connection_prefix": "x",
        "variables_lookup_pattern": "(",
        "on_outage": "ignore",
        "projects": 3,
        "next_backend_kwargs": "not json",
        "sep": ["/"],
    }
    with pytest.raises(Misconfigured) as caught:
        BackendOptions(wrong)
    said = caught.value.message
    assert "is it 'connections_prefix'?" in said
    assert all(
        name in said for name in ("variables_lookup_pattern", "fail, fall_through", "projects", "sep is")
    )
    assert "next_backend_kwargs is not a JSON object" in said


@pytest.mark.parametrize("nothing", [None, "", "null"])
def test_null_is_the_default_where_it_switches_nothing_off(nothing: str | None) -> None:
    """As of every other option."""
    options = BackendOptions({"on_outage": nothing, "team_sep": nothing, "cache_life": nothing})
    assert (options.falls_through, options.team_sep, options.settings) == (False, "--", {})


@pytest.mark.parametrize(("sep", "prefix"), [("/", "af"), ("", "af/"), ("-", "af/")])
def test_a_slash_at_a_prefixs_end_is_dropped_where_the_separator_brings_one(sep: str, prefix: str) -> None:
    """With another separator it belongs to the name."""
    assert BackendOptions({"variables_prefix": "af/", "sep": sep}).prefixes["variables"] == prefix


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("secrets_prefix", "prefix"),
        ("secret_lookup_pattern", "lookup_pattern"),
        ("accesstoken_file", "access_token_file"),
    ],
)
def test_a_name_that_is_no_tokens_is_told_with_the_nearest(name: str, near: str) -> None:
    """However it sounds; what is in it is no token."""
    with pytest.raises(Misconfigured, match=f"there is no option '{name}'; is it '[a-z_]*{near}'"):
        BackendOptions({name: "x"})


@pytest.mark.parametrize("name", ["access_token", "token", "client_secret", "password"])
def test_a_token_in_airflows_configuration_is_refused(name: str) -> None:
    """Airflow shows its configuration to people; the value is not repeated either."""
    with pytest.raises(Misconfigured, match="access_token_file") as caught:
        BackendOptions({name: "0.geheim"})
    assert "geheim" not in caught.value.message


@pytest.mark.parametrize("nothing", [0, 0.0, "0", "0s"])
def test_a_cache_life_of_nothing_is_handed_on(nothing: object) -> None:
    """It is no option that was left out."""
    settings = BackendOptions({"cache_life": nothing}).settings
    token = "0.0bd4ee27-c9b8-4e2c-b4ba-b0a0dd7a3a3a.s3cr3t:AAECAwQFBgcICQoLDA0ODw=="
    organization = "5f5b5c6e-2f4c-4a0c-8f43-0d1dcf6ad8f1"
    environ = {"BWS_ACCESS_TOKEN": token, "BWS_ORGANIZATION_ID": organization, **settings}
    assert read_settings(environ).cache_life == 0.0
