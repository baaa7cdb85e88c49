"""The server process: `python -m sandbox.aws FOLDER`, secrets in AWS_SANDBOX, its port in FOLDER/port."""

import json
import os
import sys
from pathlib import Path

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from sandbox.aws.control import Control
from sandbox.aws.gate import Gate
from sandbox.aws.lookup import Lookup
from sandbox.aws.strict_moto import install

_USED = ("iam", "sts", "s3", "cloudtrail")


class _Exchange(MotoRequestHandler):
    def log_request(self, code: int | str = "-", _size: int | str = "-") -> None:
        """Without the path: the control's is a secret."""
        self.log("info", "%s %s", self.command, code)


def main(folder: Path) -> None:
    """Serve until ended."""
    secrets = json.loads(os.environ["AWS_SANDBOX"])
    moto = DomainDispatcherApplication(create_backend_app)
    for service in _USED:
        moto.app_instances[service] = create_backend_app(service)  # type: ignore[arg-type]  # a Literal of all
    gate = Gate(moto, control_path=secrets["control_path"], observer=secrets["observer"])
    gate.obey = Control(gate).obey
    install(gate.keyring, gate.clock, Lookup(gate.trail, gate.clock).answer)
    server = make_server("127.0.0.1", 0, gate, threaded=True, request_handler=_Exchange)
    whole = folder / "port.new"
    whole.write_text(str(server.port))
    whole.rename(folder / "port")
    server.serve_forever()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
