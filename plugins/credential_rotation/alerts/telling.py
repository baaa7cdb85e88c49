"""Tells people what a run found: a new incident is a message, what changes is a reply, its end is both.

Rules this file keeps:
- Nothing here raises for Slack's sake, nor for the state folder's.
- What a person has to do is said once; while it stays the same only the first message changes.
- A storm is one thread: a count and the names, and the worst few below it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from credential_rotation.alerts.channels import Channels
from credential_rotation.alerts.incident import (
    FOLDER,
    NO_PLAN,
    STORMS,
    Incident,
    Member,
    begun_again,
    ended,
    is_over,
    met_again,
    opened,
    plan_name,
    without,
)
from credential_rotation.alerts.incident_book import IncidentBook
from credential_rotation.alerts.incident_messages import (
    first_of,
    later_of,
    now_of,
    proof_of,
    resolved_message,
    storm_message,
)
from credential_rotation.alerts.message import Message
from credential_rotation.alerts.run import Found, Run
from credential_rotation.alerts.sharing import (
    MOST_ALONE,
    as_it_is,
    as_met,
    is_worst,
    of_all,
    openings,
    places_of_part,
)
from credential_rotation.alerts.slack import NotSent, Sent


@dataclass(slots=True)
class Teller:
    """What one run has to tell, by its channels, of incidents that are open or begin."""

    channels: Channels
    book: IncidentBook
    now: datetime

    def tell(self, run: Run) -> None:
        """Open, go on with, and close incidents, as this run has it."""
        found, own = run.failures(self.now), run.own_trouble()
        incidents = self.book.about([*(one["name"] for one in run.outcomes), *run.missing])
        known = {name for incident in incidents for name in incident.names}
        fresh = [one for one in found if one.member.name not in known]
        fresh_own = [one for one in own if one.member.name not in known]
        if run.is_part:
            for one in fresh:
                self._open_part(run, one)
        else:
            self._open_all(run, fresh)
        place = f"{FOLDER}/{plan_name(run.dag)}"
        if fresh_own and place not in {one.place for one in incidents}:
            self._open(run, place, fresh_own, run.about_itself(run.missing))
            fresh_own = []
        for incident in incidents:
            self._go_on(run, incident, found + own, fresh_own if incident.place == place else [])

    def close(self, run: Run) -> None:
        """Only end what this run proves to be over: whoever ran it has read the rest."""
        for incident in self.book.about([*(one["name"] for one in run.outcomes), *run.removed]):
            self._go_on(run, incident, [], [])

    def sum_up(self, run: Run) -> None:
        """A run is over whose tasks told their own ends: those that share a thread are counted once more."""
        _, shared = places_of_part(run, "")
        incident = self.book.at(shared)
        if incident is None or incident.proof:
            return
        message = storm_message(incident.members, run)
        if not incident.is_told:
            self.book.settle(incident, self._first(incident, message))
        elif len(incident.members) > 1:
            self.channels.tell_others("changed", message, _about(incident, run))
            self.channels.reply(incident, later_of(message, incident), is_loud=False)
            # tasks that joined at once may have changed it in any order
            self._show(incident, message, is_same=False)

    def say(self, message: Message, kind: str, **about: object) -> Sent | NotSent:
        """A message of its own: a digest, or a wish that has to wait."""
        self.channels.tell_others(kind, message, about)
        return self.channels.post(message)

    def follow(self, at: Sent | None, message: Message, kind: str, **about: object) -> None:
        """What became of a message of its own: a reply, and then it reads so itself."""
        self.channels.tell_others(kind, message, about)
        self.channels.follow(at, message)

    # --- a new one -------------------------------------------------------------------------------------

    def _open_all(self, run: Run, found: Sequence[Found]) -> None:
        for group, message in openings(found, run):
            is_storm = len(group) > 1
            storm = f"{STORMS}/{self.now:%Y%m%dT%H%M%S}-{run.dag or run.work}"
            place = f"{FOLDER}/{storm if is_storm else group[0].member.name}"
            incident = self._open(run, place, group, message)
            for one in group[:MOST_ALONE] if is_storm and incident.is_told else ():
                self.channels.reply(incident, later_of(one.message, incident), is_loud=False)

    def _open(self, run: Run, place: str, found: Sequence[Found], message: Message) -> Incident:
        incident = opened(place, (one.member for one in found), self.now)
        self.channels.tell_others("opened", message, _about(incident, run))
        incident = self._first(incident, message)
        self.book.keep(incident)
        return incident

    def _open_part(self, run: Run, one: Found) -> None:
        """The first few of a run whose tasks tell their own ends have a thread each, all others share one."""
        alone, shared = (
            replace(opened(place, [one.member], self.now), run=run.key)
            for place in places_of_part(run, one.member.name)
        )
        incident = self.book.begin(alone, shared, most_alone=MOST_ALONE)
        if incident.id not in {alone.id, shared.id}:
            if incident.is_told:  # else whoever has begun it is about to tell it
                self._has_joined(run, incident, one)
            return
        message = one.message if incident.id == alone.id else storm_message([one.member], run)
        self.channels.tell_others("opened", message, _about(incident, run))
        now = self.book.settle(incident, self._first(incident, message))
        if now.is_told and now.names != incident.names:
            self._show(now, storm_message(now.members, run), is_same=False)

    def _has_joined(self, run: Run, incident: Incident, one: Found) -> None:
        if is_worst(incident, one):
            self.channels.tell_others("changed", one.message, _about(incident, run))
            self.channels.reply(incident, later_of(one.message, incident), is_loud=True)
        self._show(incident, storm_message(incident.members, run), is_same=False)

    def _first(self, incident: Incident, message: Message) -> Incident:
        """The thread's first message; where Slack does not take it the next run tries again."""
        sent = self.channels.post(first_of(message, incident))
        if isinstance(sent, NotSent):
            return replace(incident, is_told=not sent.is_configured and self.channels.has_others)
        return replace(incident, is_told=True, channel=sent.channel, ts=sent.ts)

    # --- one that is open ------------------------------------------------------------------------------

    def _go_on(self, run: Run, before: Incident, found: Sequence[Found], joining: Sequence[Found]) -> None:
        met = [one for one in found if one.member.name in before.names]
        if before.proof and not (met or joining):
            self._end(run, before)
            return
        if before.proof:
            before = begun_again(before)
        again = [*(as_met(before, one) for one in met), *joining]
        names = {one.member.name for one in again}
        over = [one for one in before.members if one.name not in names and _is_over(one, run)]
        if not again and not over:
            return
        incident = without(before, (one.name for one in over))
        if again:
            incident = met_again(incident, (one.member for one in again), self.now)
        if incident.members:
            incident = self._tell_how_it_is(run, before, incident, again)
        if self.book.settle(before, incident).members:
            return
        over_now = ended(before, proof_of(before, run), self.now)
        self.channels.tell_others("resolved", resolved_message(over_now, run), _about(over_now, run))
        self._end(run, over_now)

    def _tell_how_it_is(
        self, run: Run, before: Incident, incident: Incident, again: Sequence[Found]
    ) -> Incident:
        """What changed is a reply, and the first message says the rest."""
        changed = [one for one in again if _asks(before, one) != one.member.asks]
        if changed:
            self.channels.tell_others("changed", of_all(changed, run), _about(incident, run))
        if not incident.is_told:
            return self._first(incident, as_it_is(incident, run, again))
        is_same = not changed and incident.names == before.names
        if changed:
            incident = self._tell_change(run, before, incident, changed)
        self._show(incident, as_it_is(incident, run, again), is_same=is_same)
        return incident

    def _tell_change(
        self, run: Run, before: Incident, incident: Incident, changed: Sequence[Found]
    ) -> Incident:
        """A reply; where Slack does not take it the next run says it again."""
        is_worse = any(one.member.urgency < _urgency(before, one) for one in changed)
        heard = self.channels.reply(incident, later_of(of_all(changed, run), incident), is_loud=is_worse)
        if heard is not None:
            return heard
        unheard = {one.member.name for one in changed}
        members = (replace(one, asks="") if one.name in unheard else one for one in incident.members)
        return replace(incident, members=tuple(members))

    def _end(self, run: Run, incident: Incident) -> None:
        """Said in the thread, and by the first message; what Slack never heard of needs no end.

        It is over before anybody is told: where Slack does not take it the next run says it.
        """
        self.book.keep(incident)
        message = resolved_message(incident, run)
        if incident.is_told and self.channels.reply(incident, message, is_loud=False) is None:
            return
        if incident.is_told:
            self.channels.change(incident, message)
        self.book.close(incident)

    def _show(self, incident: Incident, message: Message, *, is_same: bool) -> None:
        """Let the first message say how things are now: nobody is woken by that."""
        self.channels.change(incident, now_of(message, incident, is_same=is_same))


def _is_over(member: Member, run: Run) -> bool:
    if member.outcome == NO_PLAN:
        return run.is_planned_well and member.name == plan_name(run.dag)
    outcome = run.outcome(member.name)
    return member.name in run.removed or (outcome is not None and is_over(member, outcome, run.work))


def _asks(before: Incident, found: Found) -> str:
    member = before.member(found.member.name)
    return member.asks if member else ""


def _urgency(before: Incident, found: Found) -> int:
    member = before.member(found.member.name)
    return member.urgency if member else found.member.urgency


def _about(incident: Incident, run: Run) -> dict[str, object]:
    return {
        "incident": incident.id,
        "credentials": list(incident.names),
        "owners": sorted({run.owners[name] for name in incident.names if name in run.owners}),
        "work": run.work,
        "run": run.run,
        "link": run.link,
    }
