"""What a machine account may do: nothing, read, or read and write, per project.

A secret without a project is out of every machine account's sight.
"""

from sandbox.bitwarden.store import Level, SecretRow, Store


def level_of(store: Store, account: str, project: str | None) -> Level | None:
    """What the account was granted in the project."""
    return None if project is None else store.grants.get((account, project))


def may_read(store: Store, account: str, project: str | None) -> bool:
    """Reading comes with either level."""
    return level_of(store, account, project) is not None


def may_write(store: Store, account: str, project: str | None) -> bool:
    """Writing has to be granted."""
    return level_of(store, account, project) == "write"


def readable_secrets(store: Store, account: str) -> list[SecretRow]:
    """Every secret outside the trash that the account may read."""
    projects = {project for holder, project in store.grants if holder == account}
    return [row for row in store.secrets.values() if row.project in projects and not row.deleted]
