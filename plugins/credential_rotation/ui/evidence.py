"""Evidence to take along from the page: one credential's, as a page that prints or as JSON.

Rules this file keeps:
- From the state folder and the inventory's exceptions alone: Bitwarden and the audit trail are the command
  line's to ask, and the document says that they were not.
- A file to be kept, never a page to be run: a download, without a script, in a sandbox, not sniffed.
- Where nothing is on record there is no file, and a word why.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from fastapi import HTTPException, Response

from bitwarden_vault.audit.line import Seal, read_key
from bitwarden_vault.audit.settings import KEY_FILE
from bitwarden_vault.errors import Misconfigured
from bitwarden_vault.state_folder import StateFolder, StateUnavailable
from credential_rotation.errors import RotationError
from credential_rotation.evidence.document import Source
from credential_rotation.evidence.kept import evidence_kept
from credential_rotation.evidence.page import EXCEPTIONS, page
from credential_rotation.inventory.exceptions import about, load_exceptions
from credential_rotation.inventory.inventory import load_entry
from credential_rotation.settings import read_settings

Kind = Literal["html", "json"]
TYPES: Mapping[Kind, str] = {"html": "text/html; charset=utf-8", "json": "application/json"}
POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox"
NONE_YET = (
    "there is no evidence of it yet: no rotation is on record. Quiet runs, which find nothing to do, leave "
    "none; neither do runs whose state folder is another one"
)
_NOT_IN_A_FILE_NAME = re.compile(r"[^A-Za-z0-9_-]+")


def download(  # noqa: PLR0913 - which, in what form, for whom and when
    state: StateFolder, environ: Mapping[str, str], name: str, kind: Kind, *, by: str, now: datetime
) -> Response:
    """The file. Raises: HTTPException (nothing is on record, or the folder cannot be read)."""
    exceptions, unknown = _exceptions(environ, name, now)
    seal, unsealed = _seal(environ)
    more = (*unknown, *unsealed)
    try:
        document = evidence_kept(state, name, now=now, by=by, exceptions=exceptions, more=more, seal=seal)
    except StateUnavailable as why:
        raise HTTPException(503, str(why)) from None
    if not document["events"]:
        raise HTTPException(404, NONE_YET)
    text = page(document) if kind == "html" else json.dumps(document, indent=1)
    file = f"evidence-{_NOT_IN_A_FILE_NAME.sub('-', name)[:80]}-{now:%Y%m%d}.{kind}"
    headers = {"Content-Disposition": f'attachment; filename="{file}"', "Content-Security-Policy": POLICY}
    return Response(text.encode(), media_type=TYPES[kind], headers=headers)


def _exceptions(
    environ: Mapping[str, str], name: str, now: datetime
) -> tuple[list[dict[str, str]], tuple[Source, ...]]:
    """Those in force; an api-server without the inventory cannot tell them."""
    try:
        include = read_settings(environ).include
        found = about(load_exceptions(include).let_be, load_entry(include, name, by_hand=True))
    except RotationError as error:
        return [], (Source(EXCEPTIONS, "", f"not known here: {error.what}"),)
    return [one.as_dict() for one in found if not one.has_expired(now)], ()


def _seal(environ: Mapping[str, str]) -> tuple[Seal, tuple[Source, ...]]:
    """The audit trail's key where this server has it; else none, and the document says so."""
    path = environ.get(KEY_FILE, "").strip()
    if not path:
        return Seal(), ()
    try:
        return read_key(path), ()
    except Misconfigured as wrong:
        return Seal(), (Source("key of the digest", path, f"not used here: {wrong.message}"),)
