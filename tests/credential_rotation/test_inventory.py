"""What an inventory gives, what it leaves out, and in which order."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from credential_rotation import inventory_entry
from credential_rotation.errors import BadInput
from credential_rotation.inventory import load_entry, load_inventory
from credential_rotation.inventory_entry import Entry
from credential_rotation.inventory_links import wrong_links
from credential_rotation.inventory_yaml import Document
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

SHIPPED = Path(__file__).parents[2] / "include"
SCHEMAS = Path(__file__).parents[2] / "plugins" / "credential_rotation" / "schema"

FULL = """\
credentials:
  - name: etl
    engine: postgres
    strategy: in_place
    principal: [etl]
    target: {host: db.internal, port: 5433, dbname: warehouse, sslrootcert: /ca.pem}
    endpoints: [{host: replica.internal}, {host: pooler.internal, port: 6432, sslmode: require}]
    admin: {airflow_connection: rotator}
    vault: {id: 0AAAAAAA-0000-0000-0000-000000000000, key: etl, project: data, format: airflow-connection}
    policy: {max_age: 12h, grace: 15m, pause: true}
    consumers: [{airflow_connection: etl}, {dag: load}, {manual: Looker, owner: bi}, {s3_bucket: exports}]
    owner: data-platform
    tags: [prod, eu]
    queue: rotation
    pool: db
    prove_dead: "off"
    password_hashing: server
    stamp: none
  - name: plain
    engine: postgres
    principal: plain
    target: {host: db.internal}
    admin: etl
    vault: {key: plain, project: data, format: password}
    policy: manual
    owner: bi
  - name: last
    engine: postgres
    principal: last
    target: {host: db.internal}
    after: [plain, etl]
    vault: {key: last, project: data, format: airflow-uri}
    policy: manual
    owner: bi
"""


def simple(name: str, extra: str = "") -> str:
    return (
        f"  - {{name: {name}, engine: postgres, principal: {name}, target: {{host: db}}, policy: manual,"
        " owner: x,"
        f" vault: {{key: {name}, project: data, format: json}}{extra}}}\n"
    )


def folder(tmp_path: Path, **files: str) -> Path:
    include = tmp_path / "include"
    (include / "credentials").mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (include / "credentials" / f"{name}.yaml").write_text(text)
    return include


def names(include: Path) -> list[str]:
    return [credential.name for credential in load_inventory(include).credentials]


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
    """Copying the example as its first line says gives three credentials and no problem."""
    include = tmp_path / "include"
    shutil.copytree(SHIPPED, include)
    shutil.copy(include / "credentials/warehouse.yaml.example", include / "credentials/warehouse.yaml")
    assert load_inventory(include).problems == ()
    assert names(include) == ["warehouse-etl", "reporting", "warehouse-admin"]


@pytest.mark.parametrize("name", ["credentials.schema.json", "policies.schema.json"])
def test_editors_are_given_the_schema_that_the_code_uses(name: str) -> None:
    """The schema beside the inventory is the one beside the code: editor and `check` say the same."""
    assert (SHIPPED / "schema" / name).read_bytes() == (SCHEMAS / name).read_bytes()
    assert json.loads((SCHEMAS / name).read_bytes())["$schema"].endswith("/2020-12/schema")


@pytest.mark.parametrize("file", ["policies.yaml", "credentials/warehouse.yaml.example"])
def test_shipped_files_tell_editors_where_their_schema_is(file: str) -> None:
    """The first line names a schema that is there."""
    first = (SHIPPED / file).read_text().splitlines()[0]
    start, schema = first.split("=")
    assert start == "# yaml-language-server: $schema"
    assert ((SHIPPED / file).parent / schema).is_file()


def test_one_broken_file_among_twenty_costs_only_its_own_entries(tmp_path: Path) -> None:
    """The other nineteen files rotate, and the broken one is told once, with its line."""
    files = {f"f{n:02}": "credentials:\n" + simple(f"c{n:02}") for n in range(20)}
    include = folder(tmp_path, **{**files, "f07": "credentials:\n  - name: [\n"})
    inventory = load_inventory(include)
    assert [credential.name for credential in inventory.credentials] == [
        f"c{n:02}" for n in range(20) if n != 7
    ]
    assert [str(problem) for problem in inventory.problems] == [
        "include/credentials/f07.yaml:3: is not valid YAML: did not find expected node content"
    ]


def test_one_broken_entry_costs_only_itself(tmp_path: Path) -> None:
    """Its neighbours in the same file rotate."""
    text = "credentials:\n" + simple("a") + simple("b", ", polcy: x") + simple("c")
    assert names(folder(tmp_path, a=text)) == ["a", "c"]


def test_neither_of_two_claimants_is_rotated(tmp_path: Path) -> None:
    """Two entries of one role would lock each other out, so both wait for a person."""
    include = folder(
        tmp_path,
        a="credentials:\n" + simple("a") + simple("b"),
        b="credentials:\n" + simple("c").replace("principal: c", "principal: a"),
    )
    assert names(include) == ["b"]
    assert [problem.name for problem in load_inventory(include).problems] == ["a", "c"]


def test_mistakes_travel_down_a_chain_of_admins(tmp_path: Path) -> None:
    """Who is administered by a broken entry waits with it, however far down; others do not."""
    text = "credentials:\n" + simple("a", ", admin: b") + simple("b", ", admin: c") + simple("c", ", x: y")
    include = folder(tmp_path, a=text + simple("d"))
    assert names(include) == ["d"]
    assert [problem.name for problem in load_inventory(include).problems] == ["a", "b", "c"]


def test_a_name_that_may_be_in_an_unreadable_file_is_told_so(tmp_path: Path) -> None:
    """A link into a broken file does not send its reader looking for a typing error."""
    include = folder(tmp_path, a="credentials:\n" + simple("a", ", admin: root"), b="credentials: [\n")
    assert str(load_inventory(include).problems[0]) == (
        "include/credentials/a.yaml:2: a: unknown entry 'root' in admin; there is no such entry "
        "(unless it is in a file that cannot be read: include/credentials/b.yaml)"
    )


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
        "from credential_rotation.inventory import load_inventory;"
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


def test_only_visible_yaml_files_count(tmp_path: Path) -> None:
    """Examples, hidden files and notes are passed over; a folder is told: somebody expects it read."""
    include = folder(tmp_path, a="credentials:\n" + simple("a"))
    credentials = include / "credentials"
    (credentials / "b.yml").write_text("credentials:\n" + simple("b"))
    for passed_over in (".hidden.yaml", "c.yaml.example", "c.yaml~", "notes.md"):
        (credentials / passed_over).write_text("credentials: [")
    (credentials / "..data").mkdir()
    (credentials / "team").mkdir()
    inventory = load_inventory(include)
    assert [credential.name for credential in inventory.credentials] == ["a", "b"]
    assert [str(problem) for problem in inventory.problems] == [
        (
            "include/credentials/team:1: is a folder, and only files directly in credentials/ are read; "
            "move its files up"
        )
    ]


def test_a_link_to_nowhere_is_a_problem_of_that_file(tmp_path: Path) -> None:
    """A file that cannot be opened stops nothing else."""
    include = folder(tmp_path, a="credentials:\n" + simple("a"))
    (include / "credentials" / "b.yaml").symlink_to(tmp_path / "gone")
    inventory = load_inventory(include)
    assert [str(problem) for problem in inventory.problems] == [
        "include/credentials/b.yaml:1: cannot be read: No such file or directory"
    ]
    assert names(include) == ["a"]


@pytest.mark.parametrize("text", ["", "# nothing\n", "credentials:\n", "credentials: []\n", "{}\n", "---\n"])
def test_an_empty_file_says_nothing(tmp_path: Path, text: str) -> None:
    """A file with everything commented out is no mistake."""
    inventory = load_inventory(folder(tmp_path, a=text))
    assert (inventory.credentials, inventory.problems) == ((), ())


def test_a_missing_folder_names_the_variable(tmp_path: Path) -> None:
    """Who pointed ROTATION_INCLUDE at the wrong place is told which, and what was expected there."""
    with pytest.raises(BadInput) as missing:
        load_inventory(tmp_path / "nowhere")
    assert missing.value.what == (
        f"ROTATION_INCLUDE: cannot read the folder {tmp_path / 'nowhere'} (No such file or directory)"
    )
    assert "credentials/ (with *.yaml files)" in missing.value.next_step


def test_entries_may_share_a_target_by_alias_and_merge(tmp_path: Path) -> None:
    """YAML's own way not to repeat oneself works, and what is written beside it wins."""
    text = "credentials:\n" + simple("a").replace("{host: db}", "&db {host: db, port: 5433}")
    text += simple("b").replace("{host: db}", "*db") + simple("c").replace("{host: db}", "{<<: *db, port: 1}")
    inventory = load_inventory(folder(tmp_path, a=text))
    assert inventory.problems == ()
    assert [c.target.settings["port"] for c in inventory.credentials] == ["5433", "5433", "1"]


def test_a_mapped_task_reads_only_what_mentions_its_entry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty files, one entry wanted: one file of entries is parsed."""
    include = folder(tmp_path, **{f"f{n:02}": "credentials:\n" + simple(f"c{n:02}") for n in range(20)})
    parsed = []
    compose = yaml.compose

    def counting(text: str, loader: type) -> yaml.Node | None:
        parsed.append(text)
        return compose(text, loader)

    monkeypatch.setattr(yaml, "compose", counting)
    assert load_entry(include, "c07").name == "c07"
    assert len(parsed) == 1


def test_a_mapped_task_gets_what_the_whole_inventory_gives(tmp_path: Path) -> None:
    """The short way and the long way give one credential."""
    include = folder(tmp_path, a=FULL, b="credentials:\n" + simple("b"))
    assert [load_entry(include, c.name) for c in load_inventory(include).credentials] == list(
        load_inventory(include).credentials
    )


def test_a_name_written_with_escapes_is_found(tmp_path: Path) -> None:
    """Searching the text is only a short cut: what YAML reads counts."""
    include = folder(tmp_path, a="credentials:\n" + simple("abc").replace("abc", '"\\x61bc"'))
    assert load_entry(include, "abc").name == "abc"


@pytest.mark.parametrize("key", ["name", "principal", "key"])
def test_a_mapped_task_sees_a_claim_in_another_file(tmp_path: Path, key: str) -> None:
    """An old run that is cleared does not rotate what two entries claim by now."""
    mine = simple("mine").replace("principal: mine", "principal: role").replace("key: mine", "key: place")
    claim = {"name": "mine", "principal": "role", "key": "place"}[key]
    other = simple("other").replace(f"{key}: other", f"{key}: {claim}")
    include = folder(tmp_path, a="credentials:\n" + mine, b="credentials:\n" + other)
    with pytest.raises(BadInput, match=r"mine: its entry has mistakes: .*a.yaml:2: mine: .* too; keep one"):
        load_entry(include, "mine")


def test_an_admin_of_another_engine_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who may change PostgreSQL roles says nothing about who may change another engine's."""
    monkeypatch.setattr(inventory_entry, "engines", lambda: ("postgres", "redis"))
    document = Document("a.yaml")
    entries = [
        Entry(document, 0, {"name": "etl", "engine": "postgres", "admin": "root"}),
        Entry(document, 1, {"name": "root", "engine": "redis"}),
    ]
    assert [(entry.name, mistake.message) for entry, mistake in wrong_links(entries, [])] == [
        ("etl", "admin 'root' has engine redis, and this entry has postgres")
    ]


def test_an_entry_that_is_gone_is_said_to_be_gone(tmp_path: Path) -> None:
    """A cleared run whose entry was renamed says so, with the nearest name."""
    include = folder(tmp_path, a="credentials:\n" + simple("warehouse-etl"))
    with pytest.raises(BadInput) as gone:
        load_entry(include, "warehouse-elt")
    assert gone.value.what == (
        "there is no credential 'warehouse-elt' in include/credentials; did you mean 'warehouse-etl'?"
    )


def test_an_entry_with_mistakes_says_which(tmp_path: Path) -> None:
    """Rotating a broken entry by name tells the mistake, not that the name is unknown."""
    include = folder(tmp_path, a="credentials:\n" + simple("a", ", polcy: x"))
    with pytest.raises(BadInput) as wrong:
        load_entry(include, "a")
    assert wrong.value.what == (
        "a: its entry has mistakes: "
        "include/credentials/a.yaml:2: a: unknown key 'polcy'; did you mean 'policy'?"
    )
