"""The access token as AWS keeps it: in Secrets Manager or Parameter Store, by the host's own role.

Rules this file keeps:
- Imported by workers alone; `botocore` is imported when a token is fetched, and by nobody else.
- Credentials come from AWS's default chain: a role of the host or pod, or a web identity (OIDC).
- An error names the place and the remedy; what was fetched is in no message.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from bitwarden_vault.access_token import MalformedToken, parse_token
from bitwarden_vault.errors import NoToken, Unreachable, VaultError

SECRETS_MANAGER, PARAMETER_STORE = "aws-secretsmanager", "aws-ssm"
_ARN_PARTS = 6
_SERVICES = {SECRETS_MANAGER: "secretsmanager", PARAMETER_STORE: "ssm"}
_RIGHTS = {SECRETS_MANAGER: "secretsmanager:GetSecretValue", PARAMETER_STORE: "ssm:GetParameter"}
_NO_RIGHT = ("AccessDeniedException", "AccessDenied", "403")  # the last: an answer without a code
_NOT_THERE = ("ResourceNotFoundException", "ParameterNotFound", "ParameterVersionNotFound")
_LATER = (
    "ThrottlingException",
    "Throttling",
    "InternalServiceError",
    "InternalServerError",
    "RequestTimeout",
)
_SERVERS = 500


def fetch_token(source: str, *, within: float) -> str:
    """The text of the token that lies there now; `within` limits each wait for AWS.

    Raises: NoToken, Unreachable.
    """
    try:
        import botocore.exceptions as wrong  # noqa: PLC0415 - most have none
    except ImportError:
        raise NoToken(
            f"{source} needs boto3, which {sys.executable} does not have: pip install boto3 there"
        ) from None
    try:
        found = _read(source, within)
    except wrong.ClientError as error:
        raise _refused(source, dict(error.response)) from None
    except wrong.NoRegionError:
        raise NoToken(f"{source}: no region; set AWS_REGION, or name it by its ARN") from None
    except (wrong.NoCredentialsError, wrong.PartialCredentialsError, wrong.CredentialRetrievalError):
        raise _nobody(source) from None
    except wrong.ProfileNotFound:
        raise NoToken(f"{source}: AWS_PROFILE names a profile that is not there") from None
    except (wrong.HTTPClientError, wrong.ConnectionError) as error:
        raise Unreachable(f"AWS does not answer for {source} ({type(error).__name__})") from None
    except (wrong.BotoCoreError, OSError, ValueError) as error:  # an identity's file is gone; no such address
        raise NoToken(f"{source}: AWS cannot be asked ({type(error).__name__})") from None
    return _token_in(found, source)


def _read(source: str, within: float) -> str:
    """The text that lies there."""
    import botocore.config  # noqa: PLC0415 - as above
    import botocore.session  # noqa: PLC0415 - as above

    kind, _, rest = source.partition(":")
    name = rest.partition("#")[0]
    session = botocore.session.Session()
    once: Any = {"total_max_attempts": 1}  # who waits for the login decides whether it is tried again
    limits = botocore.config.Config(connect_timeout=within, read_timeout=within, retries=once)
    session.set_default_client_config(limits)  # also for the client that turns a web identity into a role
    region = _region_of(name) or os.environ.get("AWS_REGION") or None
    if region:
        session.set_config_variable("region", region)
    service: Any = session.create_client(_SERVICES[kind])
    if kind == PARAMETER_STORE:
        return str(service.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"])
    return str(service.get_secret_value(SecretId=name).get("SecretString", ""))


def _region_of(name: str) -> str:
    parts = name.split(":", _ARN_PARTS - 1)
    return parts[3] if len(parts) == _ARN_PARTS and parts[0] == "arn" else ""


def _token_in(found: str, source: str) -> str:
    _, _, field = source.partition("#")
    text = found.strip()
    if field:
        try:
            text = json.loads(text)[field].strip()
        except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
            raise NoToken(f"what lies in {source} is no JSON object with that text in it") from None
    try:
        return parse_token(text).text
    except MalformedToken as wrong:
        raise NoToken(f"what lies in {source} is not an access token: {wrong}") from None


def _refused(source: str, response: dict[str, Any]) -> VaultError:
    """AWS's answer in our words; its own text may name more than our readers should know."""
    code = str(response.get("Error", {}).get("Code", ""))
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code in _NO_RIGHT:
        right = _RIGHTS[source.partition(":")[0]]
        return NoToken(
            f"{source}: AWS refuses ({code}). Grant {right} on it to this host's role, and kms:Decrypt "
            "where a key of your own encrypts it; with a web identity see the role's trust policy"
        )
    if code in _NOT_THERE:
        return NoToken(f"{source} is not there ({code}): is it spelled so, in this account and region?")
    if code in _LATER or status >= _SERVERS:
        return Unreachable(f"AWS has no answer for {source} now ({code or status})")
    if "Token" in code or "Identity" in code or "Client" in code or "Signature" in code:
        return _nobody(source, code)
    return NoToken(f"{source}: AWS refuses ({code or status})")


def _nobody(source: str, code: str = "") -> NoToken:
    told = f" ({code})" if code else ""
    return NoToken(
        f"{source}: AWS does not know who asks{told}. Give this host or pod a role (instance profile, task "
        "role, Pod Identity), or set AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE"
    )
