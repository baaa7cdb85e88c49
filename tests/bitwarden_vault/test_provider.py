"""What Airflow is told of the connection type."""

from __future__ import annotations

import json
from importlib import resources

import jsonschema
import pytest

from bitwarden_vault.hook_connection import NEXT_CONN_ID, VARIABLES
from bitwarden_vault.provider import get_provider_info

pytest_plugins = ["scenes.airflow.imported"]


@pytest.mark.usefixtures("airflow")
def test_airflow_takes_it() -> None:
    """By the schema with which Airflow refuses providers."""
    schema = json.loads((resources.files("airflow") / "provider_info.schema.json").read_text())
    jsonschema.validate(get_provider_info(), schema)


@pytest.mark.usefixtures("airflow")
def test_its_form_has_what_the_hook_reads() -> None:
    """A field that nobody reads would be a setting without effect."""
    from bitwarden_vault import hook  # noqa: PLC0415 - imports Airflow

    [kind] = get_provider_info()["connection-types"]
    assert set(kind["conn-fields"]) == {*VARIABLES, NEXT_CONN_ID}
    hidden = set(kind["ui-field-behaviour"]["hidden-fields"])
    assert hidden == set(hook.BitwardenHook.get_ui_field_behaviour()["hidden_fields"])
    assert not hidden & {"password", "extra"}


def test_no_field_of_the_form_asks_for_a_secret() -> None:
    """Extras are shown in the clear, `format: password` or not; the token is the password."""
    [kind] = get_provider_info()["connection-types"]
    fields = kind["conn-fields"]
    assert not [name for name in fields if "token" in name or "secret" in name or "password" in name]
