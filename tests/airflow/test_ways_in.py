"""Each way in loads and rotates for real, in one Airflow whose dag-processor is sent from way to way."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from credential_rotation import __version__
from sandbox.airflow_api import NotInTime
from sandbox.demo.warehouse import ROLES, Warehouse
from sandbox.kept import wait_until
from sandbox.places import ROOT
from sandbox.sandbox import Sandbox
from scenes.airflow.office import DAGS, ROTATE, VERIFY, Office
from scenes.airflow.ways_in import GIT, LOCAL, bundles, commit, install_wheel, lay_neighbours, lay_tree

pytestmark = [pytest.mark.airflow, pytest.mark.feature]

ETL = ROLES[0]
_NOTHING = {"PYTHONPATH": ""}


@dataclass(frozen=True)
class Place:
    """An Airflow with nothing of ours in its home, and the inventory that each way brings along."""

    office: Office
    include: Path
    folder: Path

    @property
    def home(self) -> Path:
        return self.office.sandbox.airflow.home

    def enter(self, bundle: str, env: Mapping[str, str], *, dags: set[str] = set(DAGS)) -> None:  # noqa: B006 - read only
        """Have the DAGs come from there and from nowhere else, without one error."""
        self.office.sandbox.airflow.read_again(_NOTHING | dict(env))
        until = time.monotonic() + 90
        while {name for name, one in self._live().items() if one["bundle_name"] == bundle} != dags:
            if time.monotonic() > until:
                log = self.office.sandbox.airflow.log("dag-processor")[-3000:]
                there = {name: one["bundle_name"] for name, one in self._live().items()}
                raise NotInTime(f"{there} {self.office.api.import_errors()}\n{log}")
            time.sleep(0.5)
        assert self.office.api.import_errors() == {}
        assert set(self._live()) == dags

    def parsed(self, bundle: str) -> set[str]:
        """The files that Airflow's dag-processor has parsed as DAGs today, by their logs."""
        logs = self.home / "logs" / "dag_processor"
        return {
            str(one.relative_to(day / bundle)).removesuffix(".log")
            for day in logs.iterdir()
            if not day.is_symlink()
            for one in (day / bundle).rglob("*.log")
        }

    def parse_twice(self) -> None:
        """Every DAG file of the folder, by a dag-processor that has parsed it before."""
        for _ in range(2):
            before = self._parsed_at()
            until = time.monotonic() + 60
            while not self._is_parsed_since(before):
                assert time.monotonic() < until, "no other parse within a minute"
                self.office.sandbox.airflow.parse_again()
                time.sleep(5)  # the time of a parse: it is told of files that it is not reading now

    def _is_parsed_since(self, before: Mapping[str, object]) -> bool:
        return all(at != before.get(dag) for dag, at in self._parsed_at().items())

    def rotates(self) -> None:
        """One credential, chosen at the form: the old password is refused, and Bitwarden has the new one."""
        details = self.office.api.dag_details
        wait_until(lambda: ETL.name in str(details(ROTATE)["params"]), "the form of this way", within=90)
        before = self.office.warehouse.stored(ETL)
        ended = self.office.run(ROTATE, credentials=[ETL.name], reason="another way in")
        assert ended.outcome(f"rotate[{ETL.name}]")["outcome"] == "rotated", ended.log(f"rotate[{ETL.name}]")
        assert ended.state == "success"
        assert not self.office.warehouse.logs_in(ETL, before)
        assert self.office.warehouse.logs_in(ETL, self.office.warehouse.stored(ETL))

    def _parsed_at(self) -> dict[str, object]:
        return {name: one["last_parsed_time"] for name, one in self._live().items()}

    def _live(self) -> dict[str, dict[str, object]]:
        return {name: one for name, one in self.office.api.dags().items() if not one["is_stale"]}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("ways")
    with Sandbox(folder / "sandbox") as sandbox:
        warehouse = Warehouse(sandbox)
        include = warehouse.build(ROOT)
        lay_tree(folder / "dropped" / "credential-rotation", include)
        running = sandbox.start_airflow(env=warehouse.environment(), dags=folder / "dropped")
        running.api.wait_for_dags(*DAGS)
        running.api.unpause(ROTATE)
        office = Office(sandbox, warehouse)
        office.run(ROTATE)  # the scheduled first tick is over when this one is
        yield Place(office, include, folder)


def test_the_whole_tree_in_the_dags_folder(place: Place) -> None:
    """Dropped in as one folder: no setting, and nothing but the DAG files is read as one."""
    place.rotates()
    assert place.parsed("dags-folder") == {f"credential-rotation/dags/{dag}.py" for dag in DAGS}


def test_parsing_again_after_runs_makes_no_new_version(place: Place) -> None:
    """FIELD E3: each file has been parsed several times, and runs have ended."""
    place.parse_twice()
    assert {dag: len(place.office.api.dag_versions(dag)) for dag in DAGS} == dict.fromkeys(DAGS, 1)


@pytest.mark.parametrize("subdir", [None, "dags"])
def test_a_git_bundle(place: Place, subdir: str | None) -> None:
    """The whole repository, or its folder `dags` alone; code and inventory are found beside it."""
    name = f"git-{subdir}"
    address = commit(lay_tree(place.folder / name, place.include))
    place.enter(name, bundles(name, GIT, tracking_ref="main", repo_url=address, subdir=subdir))
    place.rotates()
    before = "" if subdir else "dags/"
    assert place.parsed(name) == {f"{before}{dag}.py" for dag in DAGS}


def test_a_run_that_is_cleared_uses_the_inventory_of_today(place: Place) -> None:
    """With a Git bundle too, which would otherwise run it with the commit of its first time."""
    name, api = "git-today", place.office.api
    tree = lay_tree(place.folder / name, place.include)
    place.enter(name, bundles(name, GIT, tracking_ref="main", repo_url=commit(tree)))
    run = place.office.run(VERIFY).run
    assert ETL.name in api.xcom(VERIFY, run, "plan_verifications")
    inventory = tree / "include" / "credentials" / "warehouse.yaml"
    inventory.write_text(inventory.read_text().replace(f"name: {ETL.name}", "name: under-another-name"))
    commit(tree)
    api.clear(VERIFY, run)
    api.wait(VERIFY, run, within=120)
    assert "under-another-name" in api.xcom(VERIFY, run, "plan_verifications")


def test_the_wheel(place: Place) -> None:
    """Its own bundle class finds the DAG files that came with it; the inventory is in Airflow's home."""
    target = place.folder / "installed"
    install_wheel(place.folder / "wheel", target)
    shutil.copytree(place.include, place.home / "include", dirs_exist_ok=True)
    place.enter(
        "wheel",
        bundles("wheel", "credential_rotation.dag_bundle.InstalledDags") | {"PYTHONPATH": str(target)},
    )
    place.rotates()
    assert place.parsed("wheel") == {f"{dag}.py" for dag in DAGS}


def test_three_folders_beside_what_was_there_before(place: Place) -> None:
    """FIELD E7: their `tasks`, `alerts` and `model` and an old copy of ours; one copy counts and says so."""
    for name in ("plugins", "dags", "include"):
        shutil.rmtree(place.home / name, ignore_errors=True)
        shutil.copytree(ROOT / name, place.home / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(place.include, place.home / "include", dirs_exist_ok=True)
    lay_neighbours(place.home)
    old = lay_tree(place.home / "dags" / "rotation-old", place.include)
    init = old / "plugins" / "credential_rotation" / "__init__.py"
    init.write_text('"""An old copy."""\n__version__ = "0.0.9"\n')
    place.enter("home", bundles("home", LOCAL, path=str(place.home / "dags")), dags={*DAGS, "theirs"})
    place.parse_twice()
    live = place.office.api.dags()
    assert {live[dag]["relative_fileloc"] for dag in DAGS} == {f"{dag}.py" for dag in DAGS}
    said = "".join(
        one.read_text() for one in place.home.glob("logs/dag_processor/*/home/rotation-old/**/*.log")
    )
    for words in (
        str(place.home / "plugins"),
        __version__,
        str(old / "plugins"),
        "0.0.9",
        "Remove one of them",
    ):
        assert words in said
    place.rotates()
    place.office.api.unpause("theirs")
    ended = place.office.run("theirs")
    assert ended.state == "success", ended.log("use_all")
