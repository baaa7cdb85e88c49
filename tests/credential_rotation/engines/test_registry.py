"""The table of engines."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from credential_rotation.by_hand import BY_HAND
from credential_rotation.engines.postgres.rotator import PostgresRotator
from credential_rotation.engines.registry import ALL, CLOUD, DATABASES, rotator_for
from credential_rotation.errors import BadInput
from credential_rotation.inventory.schemas import CREDENTIALS, schema
from credential_rotation.model import Secret, Strategy, Target
from sandbox.places import PLUGINS
from scenes.aws_iam.user import Gate
from simulators.scene import ETL

POSTGRES = replace(ETL, engine="postgres")
IAM = replace(
    ETL,
    engine="aws_iam",
    strategy=Strategy.OVERLAPPING,
    target=Target("", {"region": "eu-central-1"}),
)


def test_an_entry_gets_the_rotator_of_its_engine() -> None:
    """With an admin it is changed by that one, without it changes itself."""
    by_admin = rotator_for(POSTGRES, admin=lambda: Secret("rotator", "x"))
    assert isinstance(by_admin, PostgresRotator)
    assert not by_admin.changes_itself
    assert rotator_for(POSTGRES, admin=None).changes_itself


def test_an_unknown_engine_names_the_known_ones_and_the_entry() -> None:
    """A mistake that the schema finds first, said as clearly where it does not."""
    with pytest.raises(BadInput, match="warehouse-etl: unknown engine 'oracle'") as wrong:
        rotator_for(replace(ETL, engine="oracle"), admin=None)
    assert wrong.value.next_step == "Known are aws_iam, postgres. Mend the entry at warehouse.yaml:1."


def test_every_line_of_the_table_can_be_loaded() -> None:
    """A misspelt module shows here, not at night."""
    for engine in DATABASES:
        assert rotator_for(replace(ETL, engine=engine), admin=None).changes_itself
    for engine in CLOUD:
        entry = replace(IAM, engine=engine)
        assert rotator_for(entry, admin=None, mutex=Gate()).changes_itself


def test_a_target_without_locks_needs_a_mutex() -> None:
    """Forgetting it is a mistake in the wiring, and shows at once."""
    with pytest.raises(TypeError, match="mutex"):
        rotator_for(IAM, admin=None)


def test_the_schema_offers_exactly_the_engines_of_the_table() -> None:
    """What can be written down can be rotated, and the other way round; but for what only people change."""
    offered = schema(CREDENTIALS)["$defs"]["credential"]["properties"]["engine"]["enum"]
    assert sorted(offered) == sorted([*ALL, BY_HAND])
    assert sorted(ALL) == sorted([*DATABASES, *CLOUD])


def test_drivers_are_loaded_only_when_needed() -> None:
    """The DAG processor works without them installed."""
    code = (
        "import sys, credential_rotation.engines.registry, credential_rotation.engines.aws_iam.rotator; "
        "print(any(name in sys.modules for name in ('psycopg', 'boto3', 'botocore')))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(PLUGINS)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout == "False\n"
