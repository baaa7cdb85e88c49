"""What a rotation costs beside the same calls made bare: one alone, and as many as two processes make.

Both kinds have roles and secrets of their own on the same servers, and take turns.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bench.ground import ground_in
from sandbox.bitwarden.stand_in import BitwardenStandIn
from sandbox.places import PLUGINS, TESTS
from scenes.site.deployment import Site

OURS, BARE = "ours", "bare"
ONE, OUTAGE, MANY = "a rotation in place", "its outage", "rotations a minute, two processes"
SECONDS = 6.0
"""Of each turn of the many."""


def rotations(folder: Path, rounds: int) -> dict[str, dict[str, float]]:
    """Milliseconds, and rotations a minute: medians of `rounds` turns, and of a third as many."""
    taken: dict[str, dict[str, list[float]]] = {}

    def note(what: str, kind: str, figure: float) -> None:
        taken.setdefault(what, {}).setdefault(kind, []).append(figure)

    with rotating(folder) as (processes, _):
        for _ in range(rounds):
            for kind, (one, _) in processes.items():
                milliseconds, outage = one.wish("once")
                note(ONE, kind, milliseconds)
                note(OUTAGE, kind, outage)
        for _ in range(max(rounds // 3, 1)):
            for kind, both in processes.items():
                for one in both:
                    one.ask(f"for {SECONDS}")
                note(MANY, kind, sum(one.answer()[0] for one in both) * 60 / SECONDS)
    return {what: {kind: median(figures) for kind, figures in by.items()} for what, by in taken.items()}


@dataclass(frozen=True)
class Rotating:
    """One process."""

    process: subprocess.Popen[str]

    def ask(self, wish: str) -> None:
        """Have it begin."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{wish}\n")
        self.process.stdin.flush()

    def answer(self) -> list[float]:
        """Wait for its end."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "a rotation of the bench failed; its error stands above"
        said: list[float] = json.loads(line)
        return said

    def wish(self, wish: str) -> list[float]:
        """Both."""
        self.ask(wish)
        return self.answer()


Processes = dict[str, tuple[Rotating, Rotating]]


@contextmanager
def rotating(folder: Path) -> Iterator[tuple[Processes, BitwardenStandIn]]:
    """Two processes of each kind, ready, and the server that they all ask."""
    with ExitStack() as stack:
        ground = stack.enter_context(ground_in(folder))
        sites = [Site(ground, folder / f"site-{number}", number) for number in range(4)]
        for site in sites:
            site.set_up()
            assert site.run("rotate", "etl").code == 0  # CURRENT is there
        made = [
            stack.enter_context(_process(kind, site))
            for kind, site in zip((OURS, OURS, BARE, BARE), sites, strict=True)
        ]
        yield {OURS: (made[0], made[1]), BARE: (made[2], made[3])}, ground.bitwarden


@contextmanager
def _process(kind: str, site: Site) -> Iterator[Rotating]:
    target: dict[str, Any] = {
        "host": "localhost",
        "port": site.postgres.port,
        "dbname": "postgres",
        "sslmode": "verify-full",
        "sslrootcert": str(site.postgres.ca_file),
    }
    bare = {
        "target": target,
        "role": site.role("etl"),
        "admin": site.role("admin"),
        "key": "airflow/connections/etl",
        "admins_key": "rotation/admin",
        "journal": site.projects["journal"],
        "project": site.projects["data"],
        "admins": site.projects["admins"],
    }
    environ = {**site.environ, "BITWARDEN_PATIENCE": "300s"}  # the product's own; tests have less
    told = json.dumps({"environ": environ, "name": "etl", "bare": bare})
    with subprocess.Popen(
        [sys.executable, "-m", "bench.rotating", kind],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**site.environ, "PYTHONPATH": f"{PLUGINS}:{TESTS}", "PATH": os.defpath},
    ) as process:
        rotating = Rotating(process)
        rotating.ask(told)
        yield rotating
        assert process.stdin is not None
        process.stdin.close()
