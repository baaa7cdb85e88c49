"""A value that was stored a while ago, and somebody who uses it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

from credential_rotation.model import Consumer, Credential, Current, Secret
from credential_rotation.probes.question import Question
from simulators.scene import ETL

CANARY = "canary-7f3a91-never-to-be-seen"
STORED = datetime(2026, 3, 2, 9, 30, tzinfo=timezone.utc)


def current(secret: Secret, stored: datetime = STORED) -> Current:
    """CURRENT with this value."""
    return Current("id", "key", secret, stored, epoch=7, attempt="a", value="", note="")


def question(
    kind: str,
    name: str,
    *,
    secret: Secret | None = None,
    credential: Credential = ETL,
    age: timedelta = timedelta(hours=1),
) -> Question:
    """Whether a value that is so old works for this consumer."""
    who = Consumer(kind, name)
    return Question(
        who, replace(credential, consumers=(who,)), current(secret or Secret("etl", CANARY)), STORED + age
    )
