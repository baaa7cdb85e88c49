"""Ids of lanes: people read queue and pool in them, and no two pairs share one."""

from __future__ import annotations

import itertools
import re

import pytest

from credential_rotation.tasks.lane_ids import in_lane, in_words, lane_id, lane_of, without_lane

AIRFLOWS_OWN = re.compile(r"[\w.-]{1,250}", re.ASCII)
NAMES = (
    None,
    "db",
    "db_pool",
    "a.pool-b",
    "a_pool-b",
    "a",
    "pool-b",
    "eu west",
    "eu_west",
    "ä",
    "_",
    "x" * 256,
)


def test_an_id_tells_queue_and_pool() -> None:
    """Whoever looks at the grid sees where it runs."""
    assert lane_id("eu", "db_pool") == "queue-eu.pool-db_pool"
    assert (lane_id("eu", None), lane_id(None, "db")) == ("queue-eu", "pool-db")
    assert in_lane("rotate", lane_id(None, "db")) == "rotate.pool-db"
    assert in_words("eu west", "db") == "queue 'eu west' and pool 'db'"


def test_who_names_neither_has_the_id_of_always() -> None:
    """Also where the text is empty."""
    assert lane_id(None, None) == lane_id("", "") == ""
    assert in_lane("rotate", "") == "rotate"


def test_no_two_pairs_share_an_id() -> None:
    """Names that differ in what no id can hold, in length, or in where one name ends."""
    pairs = list(itertools.product(NAMES, NAMES))
    assert len({lane_id(*pair) for pair in pairs}) == len(pairs)


@pytest.mark.parametrize(("queue", "pool"), [one for one in itertools.product(NAMES, NAMES) if any(one)])
def test_airflow_takes_an_id_and_it_is_found_again_in_a_task(queue: str | None, pool: str | None) -> None:
    """Also inside a group of somebody's own DAG."""
    lane = lane_id(queue, pool)
    for task in ("rotate", "hand_out", "a_group.rotate"):
        whole = in_lane(task, lane)
        assert AIRFLOWS_OWN.fullmatch(whole)
        assert (without_lane(whole), lane_of(whole)) == (task, lane)


def test_an_id_without_a_lane_has_none() -> None:
    """Whatever else it is called."""
    for task in ("rotate", "plan_rotations", "a_group.rotate", "pool-db", "queue"):
        assert (without_lane(task), lane_of(task)) == (task, "")
