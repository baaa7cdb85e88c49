"""What a consumer is asked about: one value, CURRENT's, and since when it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from credential_rotation.model import Answer, Consumer, Credential, Current, Probe


@dataclass(frozen=True, slots=True)
class Question:
    """Whether CURRENT works for this consumer."""

    consumer: Consumer
    credential: Credential
    current: Current
    at: datetime
    version: int | None = None
    """CURRENT's own; None where it has none yet."""
    confirmed: str = ""
    """Who has said that this consumer has this version, and when; empty where nobody has."""
    unread: str = ""
    """Why it is not known what was said."""

    @property
    def where(self) -> str:
        """The consumer as the entry names it: `airflow connection warehouse_etl`."""
        return f"{self.consumer.kind.replace('_', ' ')} {self.consumer.name}"

    @property
    def age(self) -> timedelta:
        """How long CURRENT holds what it holds, by Bitwarden's clock."""
        return self.at - self.current.revised

    def works(self, why: str) -> Probe:
        """It was seen to work."""
        return Probe(Answer.WORKS, self.where, why)

    def refused(self, why: str) -> Probe:
        """It was seen not to work."""
        return Probe(Answer.REFUSED, self.where, why)

    def unknown(self, why: str) -> Probe:
        """Nothing was proved, and why."""
        return Probe(Answer.UNKNOWN, self.where, why)
