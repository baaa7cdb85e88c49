"""The project endpoints, as a machine account sees them."""

from dataclasses import replace
from uuid import uuid4

from sandbox.bitwarden.clock import wire_date
from sandbox.bitwarden.desk import Desk
from sandbox.bitwarden.fields import PROJECT_LIMITS, enc_strings, json_body, uuid, uuids
from sandbox.bitwarden.messages import Reply, answer, not_found
from sandbox.bitwarden.secrets_api import Json, deletions
from sandbox.bitwarden.store import ProjectRow


def list_projects(desk: Desk, organization_id: str) -> Reply:
    """Every project that the account may read."""
    desk.own_organization(organization_id)
    rows = [_project(desk, row) for row in desk.store.projects.values() if desk.reads(row.id)]
    return answer({"data": rows, "continuationToken": None, "object": "list"})


def create(desk: Desk, organization_id: str) -> Reply:
    """Any machine account may make a project, and becomes its writer."""
    fields = enc_strings(json_body(desk.request.body), PROJECT_LIMITS)
    desk.own_organization(organization_id)
    now = desk.clock.ticks()
    row = ProjectRow(str(uuid4()), fields["name"], now, now)

    def commit() -> None:
        desk.store.projects[row.id] = row
        desk.store.grant(desk.caller.account, row.id, "write", now)

    return answer(_project(desk, row) | {"read": True, "write": True}, commit=commit)


def get(desk: Desk, project_id: str) -> Reply:
    """One project."""
    row = desk.store.projects.get(uuid(project_id, "id"))
    if row is None or not desk.reads(row.id):
        raise not_found()
    return answer(_project(desk, row))


def update(desk: Desk, project_id: str) -> Reply:
    """Rename a project."""
    fields = enc_strings(json_body(desk.request.body), PROJECT_LIMITS)
    before = desk.store.projects.get(uuid(project_id, "id"))
    if before is None or not desk.writes(before.id):
        raise not_found()
    row = replace(before, name=fields["name"], revised=desk.clock.ticks())

    def commit() -> None:
        if row.id in desk.store.projects:
            desk.store.projects[row.id] = row

    return answer(_project(desk, row), commit=commit)


def delete(desk: Desk) -> Reply:
    """Delete for good; what the account may not write is an error inside the success."""
    ids = uuids(json_body(desk.request.body), "ids")
    known = {project_id for project_id in ids if project_id in desk.store.projects}
    if not known or len(known) != len(ids):
        raise not_found()
    allowed = [project_id for project_id in ids if desk.writes(project_id)]
    now = desk.clock.ticks()

    def commit() -> None:
        for project_id in allowed:
            if project_id in desk.store.projects:
                desk.store.remove_project(project_id, now)

    return answer(deletions([(project_id, project_id in allowed) for project_id in ids]), commit=commit)


def _project(desk: Desk, row: ProjectRow) -> Json:
    return {
        "id": row.id,
        "organizationId": desk.store.organization_id,
        "name": row.name,
        "creationDate": wire_date(row.created),
        "revisionDate": wire_date(row.revised),
        "read": desk.reads(row.id),
        "write": desk.writes(row.id),
        "object": "project",
    }
