"""The channels by which one run tells people: Slack, and whoever else is to be told.

Rules this file keeps:
- Nothing here raises for Slack's sake, nor for the state folder's.
- What Slack did not take is logged in its own words, and how often that happened is said by the next message.
- Where a thread is not there any more, because somebody has deleted it, what belongs there opens another one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from credential_rotation.alerts.incident import Incident
from credential_rotation.alerts.incident_book import IncidentBook
from credential_rotation.alerts.incident_messages import slack_missed
from credential_rotation.alerts.message import Message
from credential_rotation.alerts.slack import NotSent, Sent, SlackSender

log = logging.getLogger(__name__)

_GONE = frozenset({"message_not_found", "thread_not_found", "channel_not_found"})
Notify = Callable[[str, Message, Mapping[str, object]], None]
"""Other channels: what kind of alert, the message, and what it is about."""


@dataclass(slots=True)
class Channels:
    """Slack and the others, and what Slack has missed so far."""

    sender: SlackSender
    book: IncidentBook
    now: datetime
    notify: Notify | None = None
    _missed: tuple[int, datetime] | None = field(default=None, init=False)
    _has_asked: bool = field(default=False, init=False)

    @property
    def has_others(self) -> bool:
        """Whether anybody is told beside Slack."""
        return self.notify is not None

    def tell_others(self, kind: str, message: Message, about: Mapping[str, object]) -> None:
        """Give it to those beside Slack."""
        if self.notify is not None:
            self.notify(kind, message, about)

    def post(self, message: Message, *, below: Sent | None = None, is_loud: bool = False) -> Sent | NotSent:
        """Send it to Slack, together with how often Slack could not be told before."""
        if not self._has_asked:
            self._missed, self._has_asked = self.book.missed(), True
        sent = self.sender.send(slack_missed(message, self._missed), below=below, is_loud=is_loud)
        if isinstance(sent, Sent):
            if self._missed is not None:
                self.book.nothing_missed()
            self._missed = None
        elif sent.code not in _GONE or below is None:
            self._was_not_told(sent, message)
        return sent

    def follow(self, at: Sent | None, message: Message) -> None:
        """Answer a message, which then reads so itself; without threads it is one of its own."""
        below = at if self.sender.has_threads else None
        sent = self.post(message, below=below)
        if below is not None and isinstance(sent, Sent):
            self.sender.change(below, message)

    def reply(self, incident: Incident, message: Message, *, is_loud: bool) -> Incident | None:
        """The incident with the thread that holds the reply; None where Slack does not have it."""
        at = _first_message(incident) if self.sender.has_threads else None
        sent = self.post(message, below=at, is_loud=is_loud)
        if isinstance(sent, NotSent) and at is not None and sent.code in _GONE:
            at, sent = None, self.post(message)
        if isinstance(sent, NotSent):
            return None if sent.is_configured else incident
        return incident if at is not None else replace(incident, channel=sent.channel, ts=sent.ts)

    def change(self, incident: Incident, message: Message) -> None:
        """Put it in the place of the thread's first message: nobody is woken by that."""
        at = _first_message(incident)
        if at is None or not self.sender.has_threads:
            return
        changed = self.sender.change(at, message)
        if isinstance(changed, NotSent):
            log.warning("incident %s: its first message was not changed: %s", incident.id, changed.why)

    def _was_not_told(self, sent: NotSent, message: Message) -> None:
        say = log.error if sent.is_configured else log.warning
        say("Slack was not told: %s. It would have read: %s", sent.why, message.text)
        if sent.is_configured:
            times, since = self._missed or (0, self.now)
            self._missed = (times + 1, since)
            self.book.keep_missed(*self._missed)


def _first_message(incident: Incident) -> Sent | None:
    return Sent(incident.channel, incident.ts) if incident.ts else None
