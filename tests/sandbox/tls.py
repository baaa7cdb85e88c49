"""Certificates for the stand-ins, from an authority that lives as long as the folder it is written to."""

from pathlib import Path

import trustme


class LocalCertificates:
    """A certificate for this machine's own names, its key, and the authority that a client has to trust."""

    def __init__(self, directory: Path, *more_names: str) -> None:
        authority = trustme.CA(organization_name="Sandbox")
        issued = authority.issue_cert("localhost", "127.0.0.1", "::1", *more_names)
        self.ca_file = directory / "ca.pem"
        self.certificate_file = directory / "server.pem"
        authority.cert_pem.write_to_path(self.ca_file)
        self.certificate_file.touch(mode=0o600)
        issued.private_key_and_cert_chain_pem.write_to_path(self.certificate_file)
