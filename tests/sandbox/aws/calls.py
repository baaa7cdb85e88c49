"""A request as AWS sees it before it judges it, and errors in the words and the format of each service."""

import json
import re
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from moto.core.request import Request
from moto.core.routing import get_service_router
from werkzeug.exceptions import NotFound

_CREDENTIAL = re.compile(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/aws4_request")
_JSON_WORDS = {
    "InvalidClientTokenId": "UnrecognizedClientException",
    "SignatureDoesNotMatch": "InvalidSignatureException",
    "AccessDenied": "AccessDeniedException",
    "Throttling": "ThrottlingException",
}
_XML_ERROR = re.compile(rb"<Code>([^<]+)</Code>\s*<Message>([^<]*)</Message>")
_JSON_ERROR = re.compile(rb'"__type"\s*:\s*"([^"]+)"')


@dataclass(frozen=True, slots=True)
class Call:
    """One request; its body is never logged."""

    service: str
    region: str
    action: str
    key_id: str
    user_agent: str
    speaks_json: bool
    parameters: dict[str, str]


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def error(self) -> str | None:
        """The code of an error."""
        found = None if self.status < 400 else _XML_ERROR.search(self.body) or _JSON_ERROR.search(self.body)
        return found.group(1).decode() if found else None


def read(environ: dict[str, Any]) -> Call | None:
    """The call; None when it is not signed in its headers."""
    signed = _CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", ""))
    if signed is None:
        return None
    key_id, region, service = signed.groups()
    request = Request(environ)
    target = environ.get("HTTP_X_AMZ_TARGET", "")
    parameters = {} if service == "s3" or target else dict(request.values.items())
    name = parameters.get("Action") or target.rpartition(".")[2] or _s3_operation(request)
    agent = environ.get("HTTP_USER_AGENT", "")
    return Call(service, region, f"{service}:{name}", key_id, agent, bool(target), parameters)


def _s3_operation(request: Request) -> str:
    try:
        operation, _ = get_service_router("s3").match(request)
    except (NotFound, NotImplementedError):
        return "unknown"
    return str(operation.name)


def refusal(call: Call | None, status: int, code: str, message: str) -> Reply:
    """An error in the format that the client of this service reads."""
    if call is not None and call.speaks_json:
        word = _JSON_WORDS.get(code, code)
        body = json.dumps({"__type": word, "message": message}).encode()
        kind = ("Content-Type", "application/x-amz-json-1.1")
        return Reply(status, [kind, ("X-Amzn-ErrorType", word)], body)
    error = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
    wrapped = (
        f"<Error>{error}</Error>"
        if call is None or call.service == "s3"
        else f"<ErrorResponse><Error><Type>Sender</Type>{error}</Error></ErrorResponse>"
    )
    return Reply(status, [("Content-Type", "text/xml")], wrapped.encode())


def spoken(call: Call, reply: Reply) -> Reply:
    """Moto answers what it refuses in XML, even to clients of services that speak JSON."""
    found = _XML_ERROR.search(reply.body) if call.speaks_json and reply.status >= 400 else None
    if found is None:
        return reply
    return refusal(call, reply.status, found.group(1).decode(), found.group(2).decode())
