"""Names that PostgreSQL would cut off, and so take for another role's or database's."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenes.inventory.mistakes import entry, written

FITS, TOO_LONG = "é" * 31 + "x", "é" * 32
TOLD = "has 64 bytes; PostgreSQL takes 63 and cuts off the rest"
PAIR = "strategy: alternating\n    admin: {airflow_connection: rotator}\n    owner_role: "
NAMES = {
    "a role": ({"principal": f"principal: {TOO_LONG}"}, [f"4: etl: {TOLD}"]),
    "one of a pair": (
        {"principal": f"principal: [etl, {TOO_LONG}]", "more": f"{PAIR}o"},
        [f"4: etl: {TOLD}"],
    ),
    "an owner role": (
        {"principal": "principal: [a, b]", "more": PAIR + TOO_LONG},
        [f"11: etl: {TOLD}"],
    ),
    "a database": ({"target": f"target: {{host: db, dbname: {TOO_LONG}}}"}, [f"5: etl: {TOLD}"]),
    "an endpoint's database": (
        {"target": f"target: {{host: db}}\n    endpoints: [{{host: r, dbname: {TOO_LONG}}}]"},
        [f"6: etl: {TOLD}"],
    ),
    "all that fits": (
        {"principal": f"principal: {FITS}", "target": f"target: {{host: db, dbname: {FITS}}}"},
        [],
    ),
    "a role that the schema refuses": (
        {"principal": f"principal: {'a' * 64}"},
        [
            (
                "4: etl: principal: a role's name is 1 to 63 long, not 'public' or 'none', "
                "and does not begin with 'pg_'"
            )
        ],
    ),
}


@pytest.mark.parametrize("what", NAMES)
def test_a_name_is_measured_as_postgresql_does(tmp_path: Path, what: str) -> None:
    """In bytes, with the line of the name; what is too long for a schema is told once."""
    changed, told = NAMES[what]
    problems = written(tmp_path / "include", "credentials:\n" + entry(**changed))
    assert problems == [f"include/credentials/a.yaml:{one}" for one in told]
