"""The page's routes. Each asks Airflow who is there before it answers anything.

Rules this file keeps:
- No route without the permission to see plugins: files, unknown paths and the API's own schema included.
- Nothing is changed here; a rotation is begun, and a word kept, by the browser through Airflow's API.
- Files are served by name from a list that was made at start: no path from outside reaches the disk.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated, Any

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import AccessView, DagAccessEntity, DagDetails
from airflow.api_fastapi.core_api.security import GetUserDep, requires_access_view
from fastapi import Body, Depends, FastAPI, HTTPException, Request, Response

from bitwarden_vault.state_folder import StateUnavailable, state_folder
from credential_rotation.approvers import WITH_APPROVAL
from credential_rotation.by_hand import RECORDS
from credential_rotation.ui import view
from credential_rotation.ui.evidence import Kind, download
from credential_rotation.ui.shelf import Shelf
from credential_rotation.ui.wish import refusal, refusal_of_word

STATIC = Path(__file__).parent / "static"
TYPES = {
    ".css": "text/css",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
EVERY_METHOD = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def make_app() -> FastAPI:
    """The app that Airflow mounts."""
    app = FastAPI(
        dependencies=[Depends(requires_access_view(AccessView.PLUGINS))],
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    shelf = Shelf(state_folder(os.environ))
    files = {str(path.relative_to(STATIC)): path for path in STATIC.rglob("*") if path.suffix in TYPES}
    app.middleware("http")(_guarded)
    _pages(app, files)
    _answers(app, shelf)

    @app.api_route("/{path:path}", methods=EVERY_METHOD)
    def nothing(path: str) -> None:  # noqa: ARG001 - whatever it is
        raise HTTPException(404, "there is no such page")

    return app


async def _guarded(request: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
    response = await go_on(request)
    response.headers.setdefault("Content-Security-Policy", POLICY)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def _pages(app: FastAPI, files: dict[str, Path]) -> None:
    @app.get("/")
    def page() -> Response:
        return _file(files["index.html"])

    @app.get("/static/{name:path}")
    def file(name: str) -> Response:
        if name not in files:
            raise HTTPException(404, "there is no such file")
        return _file(files[name])


def _file(path: Path) -> Response:
    kept = {"Cache-Control": "private, max-age=3600"} if "vendor" in path.parts else {}
    return Response(path.read_bytes(), media_type=TYPES[path.suffix], headers=kept)


def _answers(app: FastAPI, shelf: Shelf) -> None:
    @app.get("/data/credentials")
    def credentials(user: GetUserDep) -> dict[str, Any]:
        """The list."""
        now = datetime.now(timezone.utc)
        place = {"folder": shelf.folder.path, "may_trigger": _may_trigger(user)}
        try:
            readers = view.readers_by_place(shelf.readers(), now)
            return {**view.list_view(shelf.status(), shelf.rows(now), readers, now), **place}
        except StateUnavailable as why:
            return {**view.list_view(None, (), {}, now), **place, "unavailable": str(why)}

    @app.get("/data/credential")
    def credential(user: GetUserDep, name: str) -> dict[str, Any]:
        """One of them."""
        now = datetime.now(timezone.utc)
        try:
            status = shelf.status() or {"credentials": []}
            entries = {one.get("name"): one for one in status["credentials"]}
            if name not in entries:
                raise HTTPException(404, "the inventory has no such credential")
            readers = view.readers_by_place(shelf.readers(), now)
            own = [row for row in shelf.rows(now) if row.name == name]
            [row] = view.credential_rows({**status, "credentials": [entries[name]]}, own, readers, now)
            detail = view.detail_view(entries[name], row, shelf.outcomes(name))
        except StateUnavailable as why:
            raise HTTPException(503, str(why)) from None
        return {"now": now.isoformat(), "may_trigger": _may_trigger(user), "credential": detail}

    @app.get("/data/evidence")
    def evidence(user: GetUserDep, name: str, kind: Kind) -> Response:
        """What can be shown to an auditor, as a file."""
        now = datetime.now(timezone.utc)
        return download(shelf.folder, os.environ, name, kind, by=user.get_name(), now=now)

    @app.post("/wish")
    def wish(user: GetUserDep, conf: Annotated[dict[str, Any], Body()]) -> dict[str, str | None]:
        """Why a run that is asked for so would be refused."""
        now = datetime.now(timezone.utc)
        return {"refused": refusal(conf, at=now, by=user.get_name())}

    @app.post("/word")
    def word(conf: Annotated[dict[str, Any], Body()]) -> dict[str, str | None]:
        """The same of what a person says of their own work."""
        return {"refused": refusal_of_word(conf)}


def _may_trigger(user: GetUserDep) -> dict[str, bool]:
    """Which of the DAGs that have a button here this user may trigger."""
    manager = get_auth_manager()
    return {
        dag: manager.is_authorized_dag(
            method="POST", access_entity=DagAccessEntity.RUN, details=DagDetails(id=dag), user=user
        )
        for dag in sorted({*view.ROTATING.values(), WITH_APPROVAL, RECORDS})
    }
