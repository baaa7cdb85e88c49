"""Asks those who use a credential whether CURRENT works for them: a table by kind of consumer.

Rules this file keeps:
- A kind without a probe is `unknown`, so that a rotation never claims a proof that nobody made.
- Nobody's libraries end an attempt: by now CURRENT is written, and whoever could not be asked is `unknown`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from credential_rotation.by_hand import BY_HAND
from credential_rotation.model import Consumer, Credential, Current, Probe, Record
from credential_rotation.probes import s3_bucket
from credential_rotation.probes.airflow_connection import ask_connection
from credential_rotation.probes.dag import ask_dag
from credential_rotation.probes.manual import ask_person
from credential_rotation.probes.question import Question
from credential_rotation.probes.s3_bucket import ask_bucket
from credential_rotation.state.confirmations import Confirmations, Said, by_hand

PROBES: Mapping[str, Callable[[Question], Probe]] = {
    "airflow_connection": ask_connection,
    "dag": ask_dag,
    "manual": ask_person,
    "s3_bucket": ask_bucket,
}
_NOTHING = Said({})


@dataclass(frozen=True, slots=True)
class EntryConsumers:
    """Implements `protocols.Consumers` for the consumers that an entry names."""

    credential: Credential
    clock: Callable[[], datetime]
    confirmations: Confirmations | None = None
    """None: nobody's word is known."""

    def check(self, current: Current, own: Record | None) -> tuple[Probe, ...]:
        """One answer per consumer, in the entry's order."""
        said = self._said(own) if by_hand(self.credential) else _NOTHING
        return tuple(
            _asked(
                Question(
                    one,
                    self.credential,
                    current,
                    self.clock(),
                    version=own.epoch if own else None,
                    confirmed=_word(said, one),
                    unread=said.unknown,
                )
            )
            for one in self.credential.consumers
        )

    def awaited(self, own: Record) -> tuple[Consumer, ...]:
        """Those who take values by hand, and of whom nobody has said that they have this version."""
        return self._said(own).awaited(self.credential) if by_hand(self.credential) else ()

    def _said(self, own: Record | None) -> Said:
        if own is None or self.confirmations is None:
            return _NOTHING
        return self.confirmations.of(self.credential, (own.epoch, own.attempt))


def cannot_be_asked(credential: Credential) -> tuple[Consumer, ...]:
    """Those whose answer nobody ever gets, so that each rotation of the entry ends `unproved`."""
    return tuple(one for one in credential.consumers if not _has_proof(one, credential))


def _word(said: Said, consumer: Consumer) -> str:
    word = said.words.get(consumer.name) if consumer.kind == BY_HAND else None
    return f"confirmed by {word.by} on {word.at:%Y-%m-%d %H:%M} UTC" if word else ""


def _has_proof(consumer: Consumer, credential: Credential) -> bool:
    if consumer.kind == "s3_bucket":
        return credential.engine == s3_bucket.ENGINE
    return consumer.kind in PROBES


def _asked(question: Question) -> Probe:
    try:
        return PROBES.get(question.consumer.kind, _no_probe)(question)
    except Exception as wrong:  # noqa: BLE001 - Airflow, its providers, boto3; the text may hold a value
        return question.unknown(f"asking it broke off ({type(wrong).__name__})")


def _no_probe(question: Question) -> Probe:
    return question.unknown("this version cannot ask it; see for yourself")
