"""Lets go of incidents whose entry was removed or renamed: no run looks at them any more.

Rules this file keeps:
- An inventory that could not be read whole says nothing of who is gone.
- Said once, in the incident's thread, and never as if it were resolved.
"""

from __future__ import annotations

from credential_rotation.alerts.incident import NO_PLAN
from credential_rotation.alerts.run import Run
from credential_rotation.alerts.telling import Teller
from credential_rotation.inventory.inventory import Inventory


def tell_removed(teller: Teller, inventory: Inventory, *, run: str, deployment: str | None = None) -> None:
    """End what is open under names that no entry has, not even one with mistakes."""
    wrong = {problem.name for problem in inventory.problems}
    if "" in wrong:  # a mistake that is in no entry may hide some
        return
    there = wrong | {one.name for one in inventory.all}
    members = [one for incident in teller.book.all() for one in incident.members]
    gone = frozenset(one.name for one in members if one.outcome != NO_PLAN) - there
    if gone:
        teller.close(Run("watchdog", run, (), deployment=deployment, removed=gone))
