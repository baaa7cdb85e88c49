"""One SDK call per operation, and its answer as plain JSON.

Rules this file keeps:
- `project_ids` is always repeated: leaving it out means "detach" and is answered with 404.
- What the SDK cannot encode is refused before it is asked: it answers as if the server had cut its reply off.
- A delete that the server answers with success is looked through item by item.
- Dates leave as UTC, whatever timezone object the SDK found.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Any

from bitwarden_vault.errors import InvalidRequest, NoPermission, OutcomeUnknown
from bitwarden_vault.json_members import is_whole
from bitwarden_vault.sdk_errors import NO_PERMISSION

Arguments = Mapping[str, Any]


def list_secrets(sdk: Any, organization: str, _arguments: Arguments) -> Any:  # noqa: ANN401 - the SDK has no types
    """Ids, keys and projects of all that the account can read."""
    found = sdk.secrets().list(organization).data.data
    return [{"id": str(one.id), "key": one.key, "project_id": _project(one)} for one in found]


def get_secret(sdk: Any, _organization: str, arguments: Arguments) -> Any:  # noqa: ANN401 - the SDK has no types
    """One secret."""
    return _secret(sdk.secrets().get(arguments["id"]).data)


def get_secrets(sdk: Any, _organization: str, arguments: Arguments) -> Any:  # noqa: ANN401 - the SDK has no types
    """Several secrets, all or nothing."""
    return [_secret(one) for one in sdk.secrets().get_by_ids(arguments["ids"]).data.data]


def create_secret(sdk: Any, organization: str, arguments: Arguments) -> Any:  # noqa: ANN401 - the SDK has no types
    """A new secret in one project."""
    key, value, note = _texts(arguments)
    return _secret(sdk.secrets().create(organization, key, value, note, [arguments["project_id"]]).data)


def update_secret(sdk: Any, organization: str, arguments: Arguments) -> Any:  # noqa: ANN401 - the SDK has no types
    """Replace key, value, note and project of one secret."""
    key, value, note = _texts(arguments)
    secrets = sdk.secrets()
    changed = secrets.update(organization, arguments["id"], key, value, note, [arguments["project_id"]])
    return _secret(changed.data)


def delete_secrets(sdk: Any, _organization: str, arguments: Arguments) -> Any:  # noqa: ANN401 - the SDK has no types
    """Move secrets to the trash. Raises: NoPermission (none was), OutcomeUnknown (some were)."""
    answers = sdk.secrets().delete(arguments["ids"]).data.data
    refused = [str(one.id) for one in answers if one.error]
    if refused:
        message = f"{NO_PERMISSION}: {', '.join(refused)}"
        if len(refused) < len(answers):
            raise OutcomeUnknown(f"only some were deleted; {message}")
        raise NoPermission(message)
    return [str(one.id) for one in answers]


def list_projects(sdk: Any, organization: str, _arguments: Arguments) -> Any:  # noqa: ANN401 - the SDK has no types
    """The projects that the account can see."""
    found = sdk.projects().list(organization).data.data
    return [{"id": str(one.id), "name": one.name} for one in found]


CALLS: dict[str, Callable[[Any, str, Arguments], Any]] = {
    "list_secrets": list_secrets,
    "get_secret": get_secret,
    "get_secrets": get_secrets,
    "create_secret": create_secret,
    "update_secret": update_secret,
    "delete_secrets": delete_secrets,
    "list_projects": list_projects,
}


def _texts(arguments: Arguments) -> list[str]:
    """Raises: InvalidRequest, KeyError."""
    names = ("key", "value", "note")
    for name in names:
        if not is_whole(arguments[name]):
            raise InvalidRequest(f"{name} holds half a character")
    return [arguments[name] for name in names]


def _secret(found: Any) -> dict[str, Any]:  # noqa: ANN401 - the SDK has no types
    return {
        "id": str(found.id),
        "key": found.key,
        "value": found.value,
        "note": found.note,
        "project_id": str(found.project_id) if found.project_id else None,
        "creation_date": _utc(found.creation_date),
        "revision_date": _utc(found.revision_date),
    }


def _project(found: Any) -> str | None:  # noqa: ANN401 - the SDK has no types
    """The one project of a listed secret (the server allows one)."""
    ids = found.project_ids or []
    return str(ids[0]) if ids else None


def _utc(moment: datetime) -> str:
    return moment.astimezone(timezone.utc).isoformat()
