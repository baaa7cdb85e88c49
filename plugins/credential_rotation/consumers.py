"""Asks those who use a credential whether it works for them: a table by kind of consumer.

A kind without a probe is `unknown`, so that a rotation never claims a proof that nobody made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from credential_rotation.model import Answer, Consumer, Credential, Probe

PROBES: Mapping[str, Callable[[Consumer], Probe]] = {}


@dataclass(frozen=True, slots=True)
class EntryConsumers:
    """Implements `protocols.Consumers` for the consumers that an entry names."""

    credential: Credential

    def check(self) -> tuple[Probe, ...]:
        """One answer per consumer, in the entry's order."""
        return tuple(PROBES.get(one.kind, _no_probe)(one) for one in self.credential.consumers)


def _no_probe(consumer: Consumer) -> Probe:
    kind = consumer.kind.replace("_", " ")
    return Probe(
        Answer.UNKNOWN, f"{kind} {consumer.name}", f"this version cannot ask a {kind}; see for yourself"
    )
