"""A stand-in for Bitwarden Secrets Manager that the real `bitwarden_sdk` talks to over TLS.

It behaves as the public server source and measurements with the SDK 2.1.0 say. It was never measured against
bitwarden.com.

    with BitwardenStandIn(directory) as bitwarden:
        bitwarden.create_project("data-platform")
        token = bitwarden.create_machine_account("rotation", {"data-platform": "write"})

1. The server is a process of its own: the SDK holds the GIL, so one in the client's would never answer.
2. It holds ciphertext only. `BitwardenStandIn` (the person, and the web vault) makes the organisation key
   and the token seeds and keeps them; the server is handed hashes and EncStrings.
3. An endpoint looks and stamps; a commit follows. Faults fall before it, after it, or let it land late.
4. State is in memory, and the server ends with whoever started it.

Not modelled: grants on single secrets, value history, the audit log, plan limits, people as API callers.
"""

from sandbox.bitwarden.faults import Fault
from sandbox.bitwarden.stand_in import BitwardenStandIn, StoredSecret

__all__ = ["BitwardenStandIn", "Fault", "StoredSecret"]
