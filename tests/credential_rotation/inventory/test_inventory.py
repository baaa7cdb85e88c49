"""What an inventory gives, and in which order."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from credential_rotation.inventory.inventory import load_inventory
from credential_rotation.model import (
    ConnectionAdmin,
    Consumer,
    Credential,
    EntryAdmin,
    Policy,
    Strategy,
    Target,
    VaultPlace,
)
from sandbox.places import INCLUDE, PLUGINS
from scenes.inventory.entries import FULL, folder, names, simple

SHIPPED = INCLUDE
SCHEMAS = PLUGINS / "credential_rotation" / "schema"


def test_every_key_of_an_entry_arrives(tmp_path: Path) -> None:
    """An entry with everything becomes a credential with everything; endpoints inherit the rest."""
    inventory = load_inventory(folder(tmp_path, a=FULL))
    assert inventory.problems == ()
    warehouse = {"dbname": "warehouse", "port": "5433", "sslmode": "verify-full", "sslrootcert": "/ca.pem"}
    assert inventory.credentials[0] == Credential(
        name="etl",
        engine="postgres",
        strategy=Strategy.IN_PLACE,
        principals=("etl",),
        target=Target("db.internal", warehouse),
        vault=VaultPlace("data", "airflow-connection", "etl", "0aaaaaaa-0000-0000-0000-000000000000"),
        policy=Policy("of etl", timedelta(hours=12), timedelta(minutes=15), pause=True),
        owner="data-platform",
        source="include/credentials/a.yaml:2",
        endpoints=(
            Target("replica.internal", warehouse),
            Target("pooler.internal", {**warehouse, "port": "6432", "sslmode": "require"}),
        ),
        admin=ConnectionAdmin("rotator"),
        consumers=(
            Consumer("airflow_connection", "etl"),
            Consumer("dag", "load"),
            Consumer("manual", "Looker", "bi"),
            Consumer("s3_bucket", "exports"),
        ),
        tags=("prod", "eu"),
        queue="rotation",
        pool="db",
        prove_dead="off",
        options={"password_hashing": "server", "stamp": "none"},
    )


def test_what_an_entry_leaves_out_has_the_engines_defaults(tmp_path: Path) -> None:
    """Port, database, TLS and strategy of a short entry are PostgreSQL's usual ones, TLS at its strictest."""
    _, plain, last = load_inventory(folder(tmp_path, a=FULL)).credentials
    assert plain.target.settings == {"port": "5432", "dbname": "postgres", "sslmode": "verify-full"}
    assert (plain.strategy, plain.prove_dead, plain.options) == (Strategy.IN_PLACE, "login", {})
    assert (plain.policy, plain.admin, plain.after) == (Policy("manual", None), EntryAdmin("etl"), ())
    assert (last.admin, last.after) == (None, ("plain", "etl"))


def test_the_shipped_inventory_is_empty_and_without_problems() -> None:
    """A fresh drop-in has nothing to rotate, and nothing to complain about."""
    inventory = load_inventory(SHIPPED)
    assert (inventory.credentials, inventory.problems) == ((), ())


def test_the_shipped_example_works_once_it_is_copied(tmp_path: Path) -> None:
    """Copying the example as its first line says gives its credentials and no problem."""
    include = tmp_path / "include"
    shutil.copytree(SHIPPED, include)
    shutil.copy(include / "credentials/warehouse.yaml.example", include / "credentials/warehouse.yaml")
    assert load_inventory(include).problems == ()
    assert names(include) == ["warehouse-etl", "billing", "reporting", "warehouse-admin"]


def test_the_examples_show_all_that_can_be_said() -> None:
    """The README says so."""
    said = "".join(one.read_text() for one in (SHIPPED / "credentials").glob("*.yaml.example"))
    known = json.loads((SCHEMAS / "credentials.schema.json").read_bytes())["$defs"]
    fields = {*known["credential"]["properties"], "id", "connect_timeout", *known["consumer"]["properties"]}
    missing = [one for one in fields if not re.search(rf"\b{one}:", said)]
    assert missing == []


@pytest.mark.parametrize(
    "name", ["credentials.schema.json", "policies.schema.json", "exceptions.schema.json"]
)
def test_editors_are_given_the_schema_that_the_code_uses(name: str) -> None:
    """The schema beside the inventory is the one beside the code: editor and `check` say the same."""
    assert (SHIPPED / "schema" / name).read_bytes() == (SCHEMAS / name).read_bytes()
    assert json.loads((SCHEMAS / name).read_bytes())["$schema"].endswith("/2020-12/schema")


@pytest.mark.parametrize("file", ["policies.yaml", "exceptions.yaml", "credentials/warehouse.yaml.example"])
def test_shipped_files_tell_editors_where_their_schema_is(file: str) -> None:
    """The first line names a schema that is there."""
    first = (SHIPPED / file).read_text().splitlines()[0]
    start, schema = first.split("=")
    assert start == "# yaml-language-server: $schema"
    assert ((SHIPPED / file).parent / schema).is_file()


def test_the_order_is_file_name_then_position(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However the folder lists its files, the order of credentials stays: no new DAG version by chance."""
    include = folder(
        tmp_path, b="credentials:\n" + simple("z") + simple("y"), a="credentials:\n" + simple("x")
    )
    listing = Path.iterdir
    seen = []
    for backwards in (False, True):
        monkeypatch.setattr(
            Path, "iterdir", lambda path, backwards=backwards: iter(sorted(listing(path), reverse=backwards))
        )
        seen.append(names(include))
    assert seen == [["x", "z", "y"]] * 2


def test_the_hash_seed_does_not_show(tmp_path: Path) -> None:
    """Good entries and problems come out alike in every process: no new DAG version by chance."""
    messy = "credentials:\n" + simple("b", ", x: 1, y: 2, z: 3") + simple("c", ", after: [d, e]")
    messy += simple("d", ", after: c")
    include = folder(tmp_path, a=FULL, b=messy, c=FULL.replace("name: plain", "name: other"))
    code = (
        "import sys, pathlib; sys.path.insert(0, sys.argv[1]);"
        "from credential_rotation.inventory.inventory import load_inventory;"
        "print(load_inventory(pathlib.Path(sys.argv[2])))"
    )
    plugins = SCHEMAS.parents[1]
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code, str(plugins), str(include)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(outputs) == 1


def test_entries_may_share_a_target_by_alias_and_merge(tmp_path: Path) -> None:
    """YAML's own way not to repeat oneself works, and what is written beside it wins."""
    text = "credentials:\n" + simple("a").replace("{host: db}", "&db {host: db, port: 5433}")
    text += simple("b").replace("{host: db}", "*db") + simple("c").replace("{host: db}", "{<<: *db, port: 1}")
    inventory = load_inventory(folder(tmp_path, a=text))
    assert inventory.problems == ()
    assert [c.target.settings["port"] for c in inventory.credentials] == ["5433", "5433", "1"]
