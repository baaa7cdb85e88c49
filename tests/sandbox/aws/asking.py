"""One signed request of our own: whether a service lets a key in, whatever it may do there.

It reads no setting of this machine: neither AWS's variables and files nor a proxy's.
"""

import re
import urllib.error
import urllib.request

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

_FORMS = {
    "sts": "Action=GetCallerIdentity&Version=2011-06-15",
    "iam": "Action=ListUsers&Version=2010-05-08",
}
_LET_IN = "AccessDenied"
_REFUSED = ("InvalidClientTokenId", "InvalidAccessKeyId", "SignatureDoesNotMatch")


def is_let_in(url: str, region: str, key: tuple[str, str], service: str, *, user_agent: str) -> bool:
    """Ask; anything but an answer to the question raises."""
    try:
        with _direct().open(_signed(url, region, Credentials(*key), service, user_agent), timeout=10):
            return True
    except urllib.error.HTTPError as error:
        with error:
            said = re.search(r"<Code>(\w+)</Code>", error.read().decode())
        code = said.group(1) if said else f"HTTP {error.code}"
    if code not in (_LET_IN, *_REFUSED):
        raise ValueError(f"{service} answered {code}")
    return code == _LET_IN


def _direct() -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _signed(url: str, region: str, key: Credentials, service: str, user_agent: str) -> urllib.request.Request:
    form = _FORMS[service] if service != "s3" else None
    kind = {"Content-Type": "application/x-www-form-urlencoded"} if form else {}
    asked = AWSRequest("POST" if form else "GET", f"{url}/", headers=kind, data=form)
    signer = S3SigV4Auth if service == "s3" else SigV4Auth
    signer(key, service, region).add_auth(asked)
    headers = {**dict(asked.headers.items()), "User-Agent": user_agent}
    body = form.encode() if form else None
    return urllib.request.Request(f"{url}/", body, headers, method=asked.method)  # noqa: S310 - our own server
