"""No value is to be read anywhere, whatever went wrong; and one that is, is found. One Airflow for all.

Nothing proves an absence but a search that finds: the last tests let every surface leak.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from sandbox.demo.warehouse import ROLES, Warehouse
from sandbox.places import PLUGINS, ROOT
from sandbox.sandbox import Sandbox
from scenes.airflow.office import DAGS, ROTATE, Office
from scenes.leaks.campaign import Campaign, everything_is_kept, folder_for_notes, inventory
from scenes.leaks.ground import LeakGround, environment, with_an_eavesdropper
from scenes.leaks.search import Leak
from scenes.postgres.cut import cutter
from scenes.processes import Watched, core_limit

pytestmark = pytest.mark.airflow

ETL, REPORTING, ORDERS, PAIR, KEYS = ROLES
SURFACES = (
    "metadata database",
    "files and logs",
    "state folder",
    "Slack",
    "requests",
    "processes",
    "PostgreSQL's log",
    "command line",
    "Airflow's API",
)
NEVER_TOLD = {"requests"}
"""Nothing of ours is written there: what leaks there would be the stand-ins' own."""

ENDS = {
    **{f"tick, {role.name}": {"rotated"} for role in ROLES},
    "trouble, warehouse-etl": {"failed"},
    "trouble, reporting": {"refused"},
    "trouble, orders-api": {"recovered", "failed"},
    "trouble, billing": {"none", "failed"},
    "trouble, exports-uploader": {"unproved", "failed"},
    "spoilt, rotate reporting": {"1"},
    "down, reporting": {"failed"},
    "down, rotate orders-api": {"1"},
    "down, rotate exports-uploader": {"1"},
    "refused, plan_rotations": {"failed"},
    "command, rotate reporting": {"1"},
    "command, rotate warehouse-etl": {"1"},
    "command, rotate orders-api": {"1"},
    "command, rotate warehouse-elt": {"2"},
    "command, plan --json": {"0"},
    "forced, orders-api": {"rotated"},
    "mended, report": {"success", "failed"},
}
"""How each step may end; whoever's record got no answer fails instead."""


@dataclass
class Played:
    """A campaign that is over, and what could be read then; later tests leak on purpose."""

    campaign: Campaign
    found: dict[str, set[Leak]]
    remembered: dict[str, set[Leak]]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    tmp = tmp_path_factory.mktemp("leaks")
    with (
        Sandbox(tmp / "office") as sandbox,
        cutter(sandbox.postgres.direct_port) as cut,
        Watched() as watched,
    ):
        cut.is_armed = False
        warehouse = Warehouse(sandbox)
        include = warehouse.build(ROOT)
        entries = include / "credentials" / "warehouse.yaml"
        entries.write_text(inventory(entries.read_text(), cut.port))
        notes = folder_for_notes(tmp)
        environ = environment(warehouse.environment(), notes)
        plugins = with_an_eavesdropper(PLUGINS, tmp)
        office = Office(sandbox, warehouse)
        ground = LeakGround(office, environ, notes, watched)
        everything_is_kept(ground)
        running = sandbox.start_airflow(env=environ, dags=ROOT / "dags", plugins=plugins, include=include)
        running.api.wait_for_dags(*DAGS)
        campaign = Campaign(ground, cut)
        campaign.play()
        yield Played(campaign, ground.look(), ground.remembered())


def test_the_campaign_had_its_failures_and_ends_well(played: Played) -> None:
    """A search after nothing but successes would be half a search."""
    ends, ground = played.campaign.ends, played.campaign.ground
    assert {step: ends.get(step) for step, expected in ENDS.items() if ends.get(step) not in expected} == {}
    assert "a bug, found beside a value" in "".join(ground.said)
    warehouse = ground.office.warehouse
    assert all(warehouse.logs_in(role, warehouse.stored(role)) for role in ROLES)
    assert len(ground.values()) > 40


@pytest.mark.parametrize("surface", SURFACES)
def test_no_value_can_be_read(played: Played, surface: str) -> None:
    """In no form, after success and after every failure."""
    assert played.found[surface] == set()


def test_the_vaults_agent_remembers_none(played: Played) -> None:
    """Nor do its workers: what they free is overwritten."""
    assert {name: found for name, found in played.remembered.items() if found} == {}


def test_nothing_of_the_vaults_agent_leaves_a_core_file(played: Played) -> None:
    """The only processes of ours that outlive a task; others are Airflow's."""
    pids = played.campaign.ground.vault_processes().values()
    assert {core_limit(pid) for pid in pids} == {("1", "1")}  # no file, and for no program


@pytest.fixture(scope="module")
def planted(played: Played) -> dict[str, set[Leak]]:
    """What is found after a rotation, by DAG and by command, that makes every mistake there is."""
    ground = played.campaign.ground
    ground.wish(warehouse_etl="leak", reporting="leak")
    ground.together((ROTATE, {"credentials": [ETL.name]}))
    ground.end(ground.begin("rotate", REPORTING.name))
    ground.wish()
    return ground.look()


@pytest.mark.parametrize("surface", sorted(set(SURFACES) - NEVER_TOLD))
def test_a_planted_leak_is_found(planted: dict[str, set[Leak]], surface: str) -> None:
    """One `log.info(password)`, one statement with it, one argument, one message."""
    assert planted[surface]


def test_a_logged_value_is_found_where_it_was_logged(planted: dict[str, set[Leak]]) -> None:
    """In the task's own log, and in the copy of it that Airflow's scheduler prints."""
    places = {leak.place for leak in planted["files and logs"] if leak.form == "raw"}
    assert "airflow/scheduler.log" in places
    assert any("task_id=rotate" in place for place in places)
