"""Makes the environment for demo and tests: `python make_venv.py FOLDER LOCK`, by whatever Python there is.

It runs before anything is installed, perhaps on a Python that is too old: standard library, plain syntax.
"""

import shutil
import subprocess
import sys
import time
from pathlib import Path

OLDEST, NEWEST = (3, 10), (3, 13)


def refuse_other_pythons() -> None:
    """Say which Python is needed, and which of those here would do."""
    here = sys.version_info[:2]
    if OLDEST <= here <= NEWEST:
        return
    names = [f"python3.{minor}" for minor in range(NEWEST[1], OLDEST[1] - 1, -1)]
    found = [name for name in names if shutil.which(name)]
    remedy = f"make PYTHON={found[0]} …" if found else "install one, and name it: make PYTHON=/path/to/it …"
    raise SystemExit(f"This needs Python 3.10 to 3.13; {sys.executable} is {here[0]}.{here[1]}. Do: {remedy}")


def make_folder(folder: str) -> None:
    """An empty environment, also in the place of an interrupted one."""
    made = subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=False)
    if made.returncode != 0:
        raise SystemExit(
            f"{sys.executable} cannot make an environment; on Debian and Ubuntu: apt install python3-venv"
        )


def install(folder: str, lock: str) -> None:
    """Install what the lock names, hashes checked, and show that it goes on."""
    command = [f"{folder}/bin/python", "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    command += ["--progress-bar", "off", "--require-hashes", "-r", lock]
    wanted = sum(line[0].isalpha() and "==" in line for line in Path(lock).read_text().splitlines() if line)
    said = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as pip:
        assert pip.stdout is not None
        for line in pip.stdout:
            said.append(line)
            show(said, wanted)
    sys.stdout.write("\n")
    if pip.returncode != 0:
        raise SystemExit("pip failed:\n" + "".join(said[-15:]))


def show(said: "list[str]", wanted: int) -> None:
    """How far pip is, by the line that it said last: one that moves, or a few where nobody watches."""
    fetched = sum(line.startswith("Collecting") for line in said)
    if said[-1].startswith("Installing"):
        sys.stdout.write("\n  unpacking")
    elif said[-1].startswith("Collecting") and sys.stdout.isatty():
        sys.stdout.write(f"\r  fetching {fetched} of about {wanted} packages")
    elif said[-1].startswith("Collecting") and fetched % 30 == 1:
        sys.stdout.write(f"  fetching {fetched} of about {wanted} packages\n")
    sys.stdout.flush()


def main(folder: str, lock: str) -> None:
    """Make it."""
    refuse_other_pythons()
    began = time.time()
    sys.stdout.write(f"Making {folder} from {lock} (once, about a minute)\n")
    sys.stdout.flush()
    make_folder(folder)
    install(folder, lock)
    sys.stdout.write(f"  ready after {time.time() - began:.0f} s\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
