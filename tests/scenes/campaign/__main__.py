"""`make faults`: plays the campaign and prints points x outcomes; red where one promise was broken.

Cases are drawn by a seed where a group has more than `--most`; `--most 0` plays them all.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from scenes.campaign.calls import FAULTS
from scenes.campaign.campaign import groups, play_quietly
from scenes.campaign.case import Result

FILE = Path(".sandbox") / "faults.json"
Group = tuple[str, str]


@click.command(help=__doc__)
@click.option("--most", default=40, show_default=True, help="Cases of each kind and pass.")
@click.option("--seed", default=1, show_default=True, help="Which of them.")
@click.option("--jobs", default=2, show_default=True, help="Processes, each with servers of its own.")
@click.option("--only", default="", help="Only kinds or passes whose name has this in it.")
def main(most: int, seed: int, jobs: int, only: str) -> None:
    """Play, show, and leave with 1 where something is wrong."""
    began, results = time.monotonic(), []
    wanted = [group for group in groups() if only in ", ".join(group)]
    for group, played in _played(wanted, most, seed, jobs):
        results += played
        minutes = (time.monotonic() - began) / 60
        wrong = sum(bool(one.wrong) for one in played)
        click.echo(f"[{minutes:4.1f} min] {', '.join(group)}: {len(played)} cases, {wrong} wrong", err=True)
    Console(width=110).print(table(results))
    for one in results:
        for what in one.wrong:
            click.echo(f"{one.where}: {what}")
    minutes = (time.monotonic() - began) / 60
    wrong = sum(bool(one.wrong) for one in results)
    click.echo(f"{len(results)} cases in {minutes:.0f} minutes, {wrong} wrong")
    FILE.parent.mkdir(exist_ok=True)
    kept = [{name: getattr(one, name) for name in one.__slots__} for one in results]
    FILE.write_text(json.dumps({"seed": seed, "most": most, "minutes": minutes, "cases": kept}, indent=1))
    sys.exit(bool(wrong) or not results)


def _played(wanted: list[Group], most: int, seed: int, jobs: int) -> Iterator[tuple[Group, list[Result]]]:
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        waiting: dict[Future[list[Result]], Group] = {
            pool.submit(play_quietly, *group, most, seed): group for group in wanted
        }
        for done in as_completed(waiting):
            yield waiting[done], done.result()


def table(results: list[Result]) -> Table:
    """Kinds and passes, how many cases of each fault, and what came of them."""
    shown = Table(title="What went wrong on purpose, and what came of it")
    for name in ("credential", "pass", "calls", *FAULTS, "locked out", "not recovered"):
        shown.add_column(name, justify="left" if name in {"credential", "pass"} else "right")
    for kind, what in dict.fromkeys((one.kind, one.what) for one in results):
        these = [one for one in results if (one.kind, one.what) == (kind, what)]
        counted = Counter(one.fault for one in these)
        locked = sum("LOCKED OUT" in "".join(one.wrong) for one in these)
        wrong = sum(bool(one.wrong) for one in these)
        points = len({one.at for one in these})
        shown.add_row(
            kind, what, str(points), *(str(counted[one]) for one in FAULTS), str(locked), str(wrong - locked)
        )
    return shown


if __name__ == "__main__":
    main()
