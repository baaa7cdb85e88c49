"""What every endpoint works with: the tables, the clock and who is asking."""

from dataclasses import dataclass

from sandbox.bitwarden.bearers import Caller
from sandbox.bitwarden.clock import Clock
from sandbox.bitwarden.messages import Request, not_found
from sandbox.bitwarden.permissions import may_read, may_write
from sandbox.bitwarden.store import SecretRow, Store


@dataclass(frozen=True, slots=True)
class Desk:
    """One authenticated request on its way through an endpoint."""

    store: Store
    clock: Clock
    caller: Caller
    request: Request

    def own_organization(self, organization_id: str) -> None:
        """404 for any organisation but the caller's."""
        if organization_id != self.store.organization_id:
            raise not_found()

    def reads(self, project: str | None) -> bool:
        """The caller may read in the project."""
        return may_read(self.store, self.caller.account, project)

    def writes(self, project: str | None) -> bool:
        """The caller may write in the project."""
        return may_write(self.store, self.caller.account, project)

    def live_secrets(self, ids: list[str]) -> list[SecretRow]:
        """All of these secrets, or 404 when one is unknown, in the trash, or named twice."""
        rows = {row.id: row for row in map(self.store.live, ids) if row}
        if not rows or len(rows) != len(ids):
            raise not_found()
        return list(rows.values())
