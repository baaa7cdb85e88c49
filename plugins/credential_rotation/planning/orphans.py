"""Records in the journal that no entry is called: renamed, removed or misspelled, and nobody's to finish.

Rules this file keeps:
- Told from names that were listed for something else: to find them costs no request.
- Nobody is advised to delete what may be the record of an entry that only cannot be read just now.
"""

from __future__ import annotations

from collections.abc import Iterable

from credential_rotation.inventory.inventory import Inventory
from credential_rotation.journal.records import RecordName
from credential_rotation.planning.planning import records_by_name

POLICIES = "policies.yaml"
MOST_NAMED = 10
LONGEST = 100
"""Characters of a name: whoever can write the journal can write any."""
ALIVE = "Something was open: a value that nobody retires may live on. "
WAY_OUT = (
    "Was it renamed or removed? Give the entry its old name back, and the next run goes on with it; or see "
    "to it that its values are dead, then delete the records in Bitwarden."
)


def orphans(records: Iterable[RecordName], inventory: Inventory) -> tuple[str, ...]:
    """A sentence for each name that no entry has, with what to do."""
    listed = {one.name for one in inventory.credentials} | {problem.name for problem in inventory.problems}
    gone = {name: own for name, own in records_by_name(records).items() if name not in listed}
    if gone and any(not one.name and not one.file.endswith(POLICIES) for one in inventory.problems):
        named = ", ".join(repr(name[:LONGEST]) for name in sorted(gone)[:MOST_NAMED])
        more = f" and {len(gone) - MOST_NAMED} more" if len(gone) > MOST_NAMED else ""
        what = f"the journal holds records of {named}{more}, which no entry that can be read is called"
        return (f"{what}: mend the inventory's mistakes first, then this tells which are nobody's",)
    return tuple(_told(name, gone[name]) for name in sorted(gone))


def _told(name: str, own: tuple[RecordName, ...]) -> str:
    epochs = dict.fromkeys(str(one.epoch) for one in own)
    word, versions = "versions" if len(epochs) > 1 else "version", ", ".join(list(epochs)[:MOST_NAMED])
    open_too = ALIVE if len(own) > 1 else ""
    return (
        f"the journal holds records of {name[:LONGEST]!r} ({word} {versions}), which no entry is called. "
        f"{open_too}{WAY_OUT}"
    )
