"""The secret endpoints, as a machine account sees them.

Each looks, decides and stamps; writing is left to the reply's commit. `revisionDate` is therefore older than
the moment its row becomes visible, and a slow writer can win with the older date.
"""

from dataclasses import replace
from functools import partial
from uuid import uuid4

from sandbox.bitwarden.clock import read_date, wire_date
from sandbox.bitwarden.desk import Desk
from sandbox.bitwarden.fields import SECRET_LIMITS, enc_strings, json_body, one_project, uuid, uuids
from sandbox.bitwarden.messages import Refused, Reply, answer, error, invalid, not_found
from sandbox.bitwarden.permissions import readable_secrets
from sandbox.bitwarden.store import SecretRow

Json = dict[str, object]


def list_secrets(desk: Desk, organization_id: str) -> Reply:
    """Keys of all that the account may read; no paging, no values."""
    desk.own_organization(organization_id)
    return answer(_listing(desk, readable_secrets(desk.store, desk.caller.account)))


def list_project_secrets(desk: Desk, project_id: str) -> Reply:
    """The same for one project."""
    if project_id not in desk.store.projects:
        raise not_found()
    rows = readable_secrets(desk.store, desk.caller.account)
    return answer(_listing(desk, [row for row in rows if row.project == project_id]))


def create(desk: Desk, organization_id: str) -> Reply:
    """A new row in exactly one writable project; the key need not be unique."""
    body = json_body(desk.request.body)
    fields = enc_strings(body, SECRET_LIMITS)
    project = one_project(body)
    desk.own_organization(organization_id)
    if not desk.writes(project):
        raise not_found()
    now = desk.clock.ticks()
    row = SecretRow(str(uuid4()), fields["key"], fields["value"], fields["note"], project, now, now)
    return answer(_with_access(desk, row), commit=partial(desk.store.write_secret, row))


def get(desk: Desk, secret_id: str) -> Reply:
    """One secret."""
    row = desk.store.live(uuid(secret_id, "id"))
    if row is None or not desk.reads(row.project):
        raise not_found()
    return answer(_with_access(desk, row))


def get_by_ids(desk: Desk) -> Reply:
    """All of the named secrets or none."""
    body = json_body(desk.request.body)
    ids = uuids(body.get("ids") if isinstance(body, dict) else None, "Ids")
    twice = sorted({text for text in ids if ids.count(text) > 1}) if len(set(ids)) < len(ids) else []
    if twice:
        raise invalid(
            {"GetSecretsRequestModel": [f"The following GUIDs were duplicated {', '.join(twice)} "]}
        )
    rows = desk.live_secrets(ids)
    if not all(desk.reads(row.project) for row in rows):
        raise not_found()
    return answer(_list_of([_secret(desk, row) for row in rows]))


def update(desk: Desk, secret_id: str) -> Reply:
    """Replaces key, value, note and project together; leaving the project out means detaching it: 404."""
    body = json_body(desk.request.body)
    fields = enc_strings(body, SECRET_LIMITS)
    project = one_project(body)
    before = desk.store.live(uuid(secret_id, "id"))
    if before is None or not desk.writes(before.project) or not desk.writes(project):
        raise not_found()
    now = desk.clock.ticks()
    row = replace(
        before, project=project, revised=now, key=fields["key"], value=fields["value"], note=fields["note"]
    )
    return answer(_with_access(desk, row), commit=partial(desk.store.write_secret, row))


def delete(desk: Desk) -> Reply:
    """Moves to the trash; what the account may not write is an error inside the success."""
    rows = desk.live_secrets(uuids(json_body(desk.request.body), "ids"))
    allowed = [row.id for row in rows if desk.writes(row.project)]
    now = desk.clock.ticks()

    def commit() -> None:
        for secret_id in allowed:
            desk.store.trash(secret_id, now)

    return answer(deletions([(row.id, row.id in allowed) for row in rows]), commit=commit)


def sync(desk: Desk, organization_id: str) -> Reply:
    """Nothing when the account's stamp is not newer than the given date, else everything it may read."""
    since = _since(desk)
    desk.own_organization(organization_id)
    if since is not None and desk.store.accounts[desk.caller.account] <= since:
        return answer({"hasChanges": False, "secrets": None, "object": "secretsSync"})
    rows = [_secret(desk, row) for row in readable_secrets(desk.store, desk.caller.account)]
    return answer({"hasChanges": True, "secrets": _list_of(rows), "object": "secretsSync"})


def _since(desk: Desk) -> int | None:
    text = desk.request.parameter("lastSyncedDate")
    if text is None:
        return None
    try:
        since = read_date(text)
    except ValueError:
        raise invalid({"lastSyncedDate": [f"The value '{text}' is not valid."]}) from None
    if since > desk.clock.ticks():
        raise Refused(error(400, "Last synced date must be in the past."))
    return since


def deletions(results: list[tuple[str, bool]]) -> Json:
    """The answer to a bulk deletion, one line per id."""
    return _list_of(
        [
            {"id": row_id, "error": None if done else "access denied", "object": "BulkDeleteResponseModel"}
            for row_id, done in results
        ]
    )


def _list_of(rows: list[Json]) -> Json:
    return {"data": rows, "continuationToken": None, "object": "list"}


def _secret(desk: Desk, row: SecretRow) -> Json:
    return _summary(desk, row, _project_of(desk, row.project)) | {
        "value": row.value,
        "note": row.note,
        "object": "baseSecret",
    }


def _with_access(desk: Desk, row: SecretRow) -> Json:
    return _secret(desk, row) | {"read": True, "write": desk.writes(row.project), "object": "secret"}


def _listing(desk: Desk, rows: list[SecretRow]) -> Json:
    places = dict.fromkeys(row.project for row in rows)
    projects = {place: _project_of(desk, place) for place in places}
    access: dict[str | None, Json] = {
        place: {"read": True, "write": desk.writes(place)} for place in places
    }  # once for each project: a list may have ten thousand rows
    lines = [_summary(desk, row, projects[row.project]) | access[row.project] for row in rows]
    named = [named for project in projects.values() for named in project]
    return {"secrets": lines, "projects": named, "object": "SecretsWithProjectsList"}


def _summary(desk: Desk, row: SecretRow, projects: list[Json]) -> Json:
    return {
        "id": row.id,
        "organizationId": desk.store.organization_id,
        "key": row.key,
        "creationDate": wire_date(row.created),
        "revisionDate": wire_date(row.revised),
        "projects": projects,
    }


def _project_of(desk: Desk, project_id: str | None) -> list[Json]:
    project = desk.store.projects.get(project_id) if project_id else None
    return [{"id": project.id, "name": project.name}] if project else []
