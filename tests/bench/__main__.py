"""`make bench`: lookups, rotations and inventories, side by side, and whether the bars hold.

Wall times on a busy machine swing; the ratios are of figures that were taken in turns.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from bench import bars
from bench.bars import Figures
from bench.imports import imports
from bench.inventories import inventories
from bench.limits import limits
from bench.lookups import measure
from bench.plans import plans
from bench.rotations import rotations
from bench.runs import runs
from bench.silence import silence

FILE = Path(".sandbox") / "bench.json"


@click.command(help=__doc__)
@click.option(
    "--rounds", default=15, show_default=True, help="How often each figure is taken; medians count."
)
@click.option("--only", default="", help="Only the parts whose title has this in it.")
def main(rounds: int, only: str) -> None:
    """Measure, show, keep, and leave with 1 where a bar does not hold."""
    kept: dict[str, object] = {"rounds": rounds}
    broken = []
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        os.environ |= {"AIRFLOW_HOME": f"{folder}/airflow", "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR"}
        for title, (part, promised) in PARTS.items():
            if only not in title:
                continue
            figures = part(Path(folder), rounds)
            kept[title] = figures
            Console(width=110).print(table(title, figures))
            for bar, holds in promised(figures).items():
                click.echo(f"{'holds ' if holds else 'BROKEN'}  {bar}")
                broken += [] if holds else [bar]
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(json.dumps(kept | {"broken": broken}, indent=1))
    sys.exit(bool(broken))


def _lookups(folder: Path, rounds: int) -> Figures:
    figures = measure(folder, rounds) | silence(folder / "silence")
    figures["import of the backend"] = imports()
    return figures


Part = Callable[[Path, int], Figures]
PARTS: dict[str, tuple[Part, Callable[[Figures], dict[str, bool]]]] = {
    "A connection, in milliseconds": (_lookups, bars.of_lookups),
    "Rotations: milliseconds, and how many a minute": (rotations, bars.of_rotations),
    "Rotations with the cloud's rate limits": (lambda folder, _: limits(folder / "limits"), bars.of_limits),
    "An inventory, in milliseconds of the processor": (
        lambda folder, _: inventories(folder / "inventories"),
        bars.of_inventories,
    ),
    "A plan of 10,000, as a command": (lambda folder, _: plans(folder / "plans"), bars.of_plans),
    "A hundred mapped tasks in Airflow, in seconds": (
        lambda folder, rounds: runs(folder / "runs", rounds // 3),
        bars.of_runs,
    ),
}


def table(title: str, figures: Figures) -> Table:
    """One part."""
    columns = list(dict.fromkeys(name for by in figures.values() for name in by))
    shown = Table(title=f"{title} (medians)")
    for name in ("", *columns):
        shown.add_column(name, justify="right" if name else "left")
    for what, by in figures.items():
        shown.add_row(what, *(f"{by[name]:,.2f}" if name in by else "" for name in columns))
    return shown


if __name__ == "__main__":
    main()
