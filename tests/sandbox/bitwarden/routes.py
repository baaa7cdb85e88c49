"""Which endpoint answers which verb and path below `/api`."""

import re
from collections.abc import Callable

from sandbox.bitwarden import projects_api, secrets_api
from sandbox.bitwarden.desk import Desk
from sandbox.bitwarden.messages import Refused, Reply

Endpoint = Callable[..., Reply]

_ROUTES: tuple[tuple[str, str, Endpoint], ...] = (
    ("GET", "/api/organizations/{id}/secrets", secrets_api.list_secrets),
    ("POST", "/api/organizations/{id}/secrets", secrets_api.create),
    ("GET", "/api/organizations/{id}/secrets/sync", secrets_api.sync),
    ("POST", "/api/secrets/get-by-ids", secrets_api.get_by_ids),
    ("POST", "/api/secrets/delete", secrets_api.delete),
    ("GET", "/api/secrets/{id}", secrets_api.get),
    ("PUT", "/api/secrets/{id}", secrets_api.update),
    ("GET", "/api/organizations/{id}/projects", projects_api.list_projects),
    ("POST", "/api/organizations/{id}/projects", projects_api.create),
    ("POST", "/api/projects/delete", projects_api.delete),
    ("GET", "/api/projects/{id}", projects_api.get),
    ("PUT", "/api/projects/{id}", projects_api.update),
    ("GET", "/api/projects/{id}/secrets", secrets_api.list_project_secrets),
)
_COMPILED = [(verb, re.compile(path.replace("{id}", "([^/]+)")), call) for verb, path, call in _ROUTES]


def find(verb: str, path: str) -> Callable[[Desk], Reply]:
    """The endpoint, found before anybody asks who calls; an unknown path is 404, a wrong verb 405."""
    matches = [
        (known, found, call) for known, pattern, call in _COMPILED if (found := pattern.fullmatch(path))
    ]
    for known, found, call in matches:
        if known == verb:
            return lambda desk: call(desk, *found.groups())
    raise Refused(Reply(405 if matches else 404))
