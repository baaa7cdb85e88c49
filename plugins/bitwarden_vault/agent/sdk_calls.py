"""One SDK call per operation, and its answer as plain JSON.

Rules this file keeps:
- `project_ids` is always repeated: leaving it out means "detach" and is answered with 404.
- What the SDK cannot encode is refused before it is asked: it answers as if the server had cut its reply off.
- A delete that the server answers with success is looked through item by item.
- Dates leave in the one form that every Python reads.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from bitwarden_vault.agent.sdk_core import SdkCore
from bitwarden_vault.errors import NO_PERMISSION, InvalidRequest, NoPermission, OutcomeUnknown
from bitwarden_vault.json_members import is_whole
from bitwarden_vault.untyped import Any

Arguments = Mapping[str, Any]
Answer = Any
"""Plain JSON."""
_UTC = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?Z")


def list_secrets(sdk: SdkCore, organization: str, _arguments: Arguments) -> Answer:
    """Ids, keys and projects of all that the account can read."""
    found = sdk.secrets("list", organizationId=organization)["data"]
    return [{"id": one["id"], "key": one["key"], "project_id": _project(one)} for one in found]


def get_secret(sdk: SdkCore, _organization: str, arguments: Arguments) -> Answer:
    """One secret."""
    return _secret(sdk.secrets("get", id=arguments["id"]))


def get_secrets(sdk: SdkCore, _organization: str, arguments: Arguments) -> Answer:
    """Several secrets, all or nothing."""
    return [_secret(one) for one in sdk.secrets("getByIds", ids=arguments["ids"])["data"]]


def create_secret(sdk: SdkCore, organization: str, arguments: Arguments) -> Answer:
    """A new secret in one project."""
    return _secret(sdk.secrets("create", organizationId=organization, **_fields(arguments)))


def update_secret(sdk: SdkCore, organization: str, arguments: Arguments) -> Answer:
    """Replace key, value, note and project of one secret."""
    fields = _fields(arguments)
    return _secret(sdk.secrets("update", id=arguments["id"], organizationId=organization, **fields))


def delete_secrets(sdk: SdkCore, _organization: str, arguments: Arguments) -> Answer:
    """Move secrets to the trash. Raises: NoPermission (none was), OutcomeUnknown (some were)."""
    answers = sdk.secrets("delete", ids=arguments["ids"])["data"]
    refused = [one["id"] for one in answers if one.get("error")]
    if refused:
        message = f"{NO_PERMISSION}: {', '.join(refused)}"
        if len(refused) < len(answers):
            raise OutcomeUnknown(f"only some were deleted; {message}")
        raise NoPermission(message)
    return [one["id"] for one in answers]


def list_projects(sdk: SdkCore, organization: str, _arguments: Arguments) -> Answer:
    """The projects that the account can see."""
    found = sdk.projects("list", organizationId=organization)["data"]
    return [{"id": one["id"], "name": one["name"]} for one in found]


CALLS: dict[str, Callable[[SdkCore, str, Arguments], Answer]] = {
    "list_secrets": list_secrets,
    "get_secret": get_secret,
    "get_secrets": get_secrets,
    "create_secret": create_secret,
    "update_secret": update_secret,
    "delete_secrets": delete_secrets,
    "list_projects": list_projects,
}


def _fields(arguments: Arguments) -> dict[str, object]:
    """What both writes send. Raises: InvalidRequest, KeyError."""
    texts = {name: arguments[name] for name in ("key", "value", "note")}
    for name, text in texts.items():
        if not is_whole(text):
            raise InvalidRequest(f"{name} holds half a character")
    return {**texts, "projectIds": [arguments["project_id"]]}


def _secret(found: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": found["id"],
        "key": found["key"],
        "value": found["value"],
        "note": found["note"],
        "project_id": found.get("projectId"),
        "creation_date": _utc(found["creationDate"]),
        "revision_date": _utc(found["revisionDate"]),
    }


def _project(found: Mapping[str, Any]) -> str | None:
    """The one project of a listed secret (the server allows one)."""
    ids = found.get("projectIds") or []
    return ids[0] if ids else None


def _utc(moment: str) -> str:
    """The core writes `Z`, and as many digits as there are; what Python 3.10 reads has an offset and six."""
    read = _UTC.fullmatch(moment)
    if read is None:
        raise ValueError("a date is not one of Bitwarden's")
    return f"{read[1]}.{(read[2] or '')[:6]:0<6}+00:00"
