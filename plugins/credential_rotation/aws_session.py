"""A boto3 session that knows no key and looks for none: whoever asks AWS here brings the key to ask with.

Profiles, configuration and credential files, and what an instance could lend are switched off; of AWS's own
settings only endpoint addresses (`AWS_ENDPOINT_URL`, …) count.
"""

from __future__ import annotations

import logging
import os
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from boto3.session import Session


@cache
def bare_session() -> Session:
    """One for the process: it holds the services' descriptions, and neither a key nor a connection."""
    import boto3.session  # noqa: PLC0415 - only AWS needs it
    import botocore.session  # noqa: PLC0415 - only AWS needs it

    logging.getLogger("botocore.parsers").setLevel(logging.INFO)
    nowhere = (None, None, os.devnull, None)
    bare = botocore.session.Session(
        session_vars={
            "profile": (None, None, None, None),
            "config_file": nowhere,
            "credentials_file": nowhere,
            "sts_regional_endpoints": (None, None, "regional", None),
            "defaults_mode": (None, None, "legacy", None),
        }
    )
    return boto3.session.Session(botocore_session=bare)
