"""Evidence as one HTML file that a person reads and prints: no script, nothing from elsewhere.

Rules this file keeps:
- Pure, and made from the sealed document alone, which it carries along so that it can be checked.
- Every text is escaped: names and reasons are other people's.
- What is missing is told as plainly as what is there, in words and not in colour alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from credential_rotation.evidence.in_force import IN_FORCE, RECORDED
from credential_rotation.evidence.markup import NOT_KNOWN, facts, section, table, when

DOCUMENT_ID = "document"
_ANSWERS = {"works": "accepted", "refused": "refused", "unknown": "not known", "not asked": "not asked"}
_OUTCOMES = {
    "rotated": "rotated",
    "revoked": "revoked: the value before was replaced at once, after a suspicion",
    "adopted": "adopted: the value was there before, and was only given a record",
    "unproved": "rotated, and not all that uses it could be asked or accepted it",
    "closed": "closed: a person has changed it, and said so",
    "recovered": "recovered: an earlier attempt was interrupted, or the stored value had stopped working",
}
EXCEPTIONS = "exceptions"
"""The source that is named only where they are not known."""
Document = Mapping[str, Any]


def page(document: Document) -> str:
    """The whole file."""
    name = escape(str(document["credential"]))
    style = Path(__file__).with_name("page.css").read_text(encoding="utf-8")
    parts = (
        _head(document),
        _summary(document["summary"]),
        section("The credential", _entry(document["entry"])),
        section("Versions", *map(_rotation, reversed(document["rotations"]))),
        section("Every attempt on record", _events(document["events"])),
        section("Who was given the value", _readers(document["readers"])),
        section("Exceptions in force", _exceptions(document["exceptions"], document["sources"])),
        section("Audit trail", _trail(document["trail"])),
        section("Controls that this supports", _controls(document["controls"])),
        section("Where this is from", _sources(document["sources"])),
        section("What cannot be concluded from it", f"<p>{escape(document['limits'])}</p>"),
        section("Check this document", _how_to_check(document)),
    )
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Evidence: {name}</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>\n{style}</style></head>\n<body><main>\n{''.join(parts)}</main></body></html>\n"
    )


def _head(document: Document) -> str:
    since = f"since {when(document['since'])}" if document["since"] else "all that is on record"
    return (
        f"<header><p class=kind>Evidence of credential rotation</p><h1>{escape(document['credential'])}</h1>"
        f"<p>Made {when(document['made'])} by {escape(document['made_by'])}; {since}.</p></header>\n"
    )


def _summary(told: Document) -> str:
    whole = told["whole_proofs"] == told["versions"] and not told["late"]
    late = ", ".join(map(str, told["late"]))
    failures = "not known" if told["failures"] is None else told["failures"]
    lines = [
        _in_force(told),
        f"{told['versions']} versions were made; {told['whole_proofs']} of them are proved from end to end.",
        f"Later than their policy promised: {escape(late) or 'none'}.",
        f"Attempts that failed, were not proved, or found it broken: {failures}.",
    ]
    items = "".join(f"<li>{line}</li>" for line in lines)
    return f'<ul class="summary {"good" if whole else "look"}">{items}</ul>\n'


def _in_force(told: Document) -> str:
    words = "Which version is in force is not on record."
    if told["in_force"] is not None:
        words = f"Version {told['in_force']} is in force since {when(told['in_force_since'])}."
    recorded = ", ".join(map(str, told.get("recorded_only", ())))
    return f"{words} Recorded, not in force: {escape(recorded)}." if recorded else words


def _entry(entry: Document) -> str:
    policy, vault = entry.get("policy") or {}, entry.get("vault") or {}
    return facts(
        [
            ("Engine and strategy", f"{entry.get('engine', '')}, {entry.get('strategy', '')}"),
            ("Target", entry.get("where")),
            ("Principals", ", ".join(entry.get("principals") or ())),
            ("Owner", entry.get("owner")),
            ("Policy", f"{policy.get('name', '')}: {policy.get('words', '')}" if policy else ""),
            ("Kept in Bitwarden", f"{vault.get('key', '')} in project {vault.get('project', '')}"),
            ("Consumers with a proof of their own", ", ".join(entry.get("consumers") or ()) or "none"),
            ("Inventory", entry.get("source")),
        ]
    )


def _rotation(one: Document) -> str:
    gaps, run = one["gaps"], " ".join(filter(None, (one["dag_id"], one["run_id"])))
    stands = str(one.get("standing", ""))
    level, standing = ("look", "not proved from end to end") if gaps else ("good", "proved from end to end")
    is_found = one["outcome"] == "adopted"
    if is_found:
        standing = "taken over as it was found"
    elif one["outcome"] == "closed":
        standing = "changed by a person, who said so"
    elif stands == RECORDED:
        standing = stands
    who = escape(one["by"] or NOT_KNOWN) + (
        f"; approved by {escape(one['approved_by'])}" if one["approved_by"] else ""
    )
    about = facts(
        [
            ("Asked by", who, True),
            ("Why", one["why"] or ("by schedule" if one["by"] == "schedule" else NOT_KNOWN)),
            ("Outcome", _OUTCOMES.get(one["outcome"], one["outcome"])),
            ("Taken over" if is_found else "Made", when(one["made"]), True),
            ("In force since", "" if stands == RECORDED else when(one.get("in_force")), True),
            ("Replaced", _replaced(one["replaced"], stands), True),
            ("Had to be replaced by", when(one["limit"]) if one["limit"] else "no promise on record", True),
            ("Principal", one["principal"]),
            ("Attempt and run", " · ".join(filter(None, (one["attempt"], run)))),
            ("Known from", one["source"]),
        ]
    )
    missing = "".join(f"<li>{escape(gap)}</li>" for gap in gaps)
    return (
        f"<article><h3>Version {one['version']} <span class={level}>{standing}</span></h3>{about}"
        f"{f'<ul class=gaps>{missing}</ul>' if missing else ''}{_proofs(one)}{_places(one)}</article>\n"
    )


def _replaced(moment: object, standing: str) -> str:
    if standing == IN_FORCE:
        return IN_FORCE
    return "" if standing == RECORDED else when(moment)


def _proofs(one: Document) -> str:
    before = one["before"]
    rows = [
        *[("New value", proof) for proof in one["accepted"]],
        *[("New value, consumer", proof) for proof in one["consumers"]],
        *[(f"Value of version {before}", proof) for proof in one["old_value"]],
    ]
    cells = [
        (escape(what), _answer(proof["answer"]), escape(proof["where"]), when(proof["at"]))
        for what, proof in rows
    ]
    cells += [
        (
            "Consumer, by a person's word",
            f"<b>confirmed</b> by {escape(word['by'] or NOT_KNOWN)}",
            escape(word["consumer"]),
            when(word["at"]),
        )
        for word in one["confirmed"]
    ]
    if one["old_deleted"]:
        cells.append(
            (f"Record of version {before}", "deleted", "journal in Bitwarden", when(one["old_deleted"]))
        )
    return table(("Proof", "Answer", "Asked of", "When"), cells) if cells else ""


def _places(one: Document) -> str:
    cells = [
        (
            escape(place["what"]),
            f"<code>{escape(place['segment'])}</code>, line {place['line']}",
            f"{place['sequence']}, <code>{escape(place['digest'][:16])}…</code>"
            + ("" if place["fits"] else " <b>(digest does not fit, or its key is not here)</b>"),
            when(place["at"]),
        )
        for place in one["places"]
    ]
    return (
        table(("In the audit trail", "File", "Place and digest in the chain", "When"), cells) if cells else ""
    )


def _events(events: Sequence[Document]) -> str:
    cells = [
        (
            when(one["at"]),
            escape(one["outcome"]),
            "" if one["version"] is None else str(one["version"]),
            escape(one["by"]),
            escape(". ".join(filter(None, (one["why"], one["reason"])))),
        )
        for one in events
    ]
    heads = ("When", "Outcome", "Version", "Asked by", "Why, and what was found")
    return table(heads, cells) if cells else "<p>None.</p>"


def _readers(readers: Sequence[Document]) -> str:
    cells = [
        (
            escape(one["who"]),
            "" if one["version"] is None else str(one["version"]),
            "" if one["times"] is None else str(one["times"]),
            f"{when(one['first'])} to {when(one['last'])}",
            escape(one["source"]),
        )
        for one in readers
    ]
    heads = ("Who, as they said", "Version", "Times", "When", "Known from")
    return table(heads, cells) if cells else "<p>Nobody is on record.</p>"


def _exceptions(exceptions: Sequence[Document], sources: Sequence[Document]) -> str:
    if any(one["name"] == EXCEPTIONS for one in sources):
        return "<p>Not known where this was made: see where this is from.</p>"
    cells = [
        tuple(escape(str(one.get(name) or "")) for name in ("what", "reason", "owner", "until"))
        for one in exceptions
    ]
    return table(("What is let be", "Reason", "Owner", "Until"), cells) if cells else "<p>None.</p>"


def _trail(trail: Document | None) -> str:
    if trail is None:
        return "<p>None was given: BITWARDEN_AUDIT_PATH is not set where this was made.</p>"
    cells = [
        (
            f"<code>{escape(str(one['agent']))}</code>",
            str(one["lines"]),
            str(one["complete_to"]),
            f"line {one['checkpoint']}, {escape(str(one['checkpoint_at']))}",
            escape("; ".join(one["findings"])) or "none",
        )
        for one in trail["agents"]
    ]
    heads = ("Chain", "Lines", "Complete to line", "Checkpoint", "Findings")
    return (
        f"<p>When this was made the trail in <code>{escape(trail['folder'])}</code> was "
        f"<b>{escape(trail['verdict'])}</b>: {escape(trail['why'])}. Check it offline, on a copy, with</p>"
        "<pre>python -m bitwarden_vault audit verify FOLDER --checkpoints FOLDER --key FILE</pre>"
        "<p>and look up the lines that are named under each version: that line of the file ends in the "
        f"digest that begins so.</p>{table(heads, cells) if cells else ''}"
    )


def _controls(controls: Sequence[Document]) -> str:
    cells = [tuple(escape(one[name]) for name in ("control", "shown", "besides")) for one in controls]
    return table(("Control", "Shown here", "Wanted besides, and not shown here"), cells)


def _sources(sources: Sequence[Document]) -> str:
    cells = [tuple(escape(one[name]) for name in ("name", "where", "told")) for one in sources]
    return table(("Source", "Where", "What it told"), cells)


def _how_to_check(document: Document) -> str:
    digest = document["digest"]
    key = f", key {escape(digest['key'])}" if digest["key"] else ""
    source = escape(json.dumps(document, indent=1))
    return (
        f"<p>Digest ({escape(digest['kind'])}{key}):</p><pre>{escape(digest['value'])}</pre>"
        "<p>It is over the document below, from which this page is made. Note it where who made this cannot "
        "write. This says whether the file is as it was made:</p>"
        "<pre>python -m credential_rotation evidence --check FILE</pre>"
        f"<details><summary>The document</summary><pre id={DOCUMENT_ID}>{source}</pre></details>"
    )


def _answer(answer: str) -> str:
    return f"<b>{escape(_ANSWERS.get(answer, answer))}</b>"
