"""``python -m tests.e2e.record_release <stack> <name>``: the state that this version leaves, for the upgrade test of the next.

Made at a release, and kept: ``tests/e2e/releases/<name>/<stack>.json.gz``. Its secrets are of nothing that exists any more,
and are encrypted with ``PASSPHRASE``.
"""

from __future__ import annotations

import gzip
import json
import sys
import tempfile
from pathlib import Path

from local.engine import Engine
from local.stack import LocalStack

FOLDER = Path(__file__).parent / "releases"
PASSPHRASE = "an upgrade test"


def engine(home: Path) -> Engine:
    """An engine whose passphrase is the recorded states'."""
    home.mkdir(exist_ok=True)
    (home / "passphrase").write_text(PASSPHRASE, encoding="utf-8")
    return Engine(home=home)


def main() -> None:
    """Brings the stack up, writes its state, and removes it."""
    name, release = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        stack = LocalStack(name, engine(Path(folder) / "home"))
        try:
            stack.start()
            result = stack.pulumi("up", "--yes", "--skip-preview", capture=True)
            if result.returncode:
                raise SystemExit(result.stdout)
            deployment = stack.export()
        finally:
            stack.plane.remove()
            account = getattr(stack, "account", None)  # earlier versions know of none
            if account:
                account.down()
    file = FOLDER / release / f"{name}.json.gz"
    file.parent.mkdir(parents=True, exist_ok=True)
    # without a time in it: the same state is the same file
    file.write_bytes(gzip.compress(json.dumps(deployment).encode(), mtime=0))


if __name__ == "__main__":
    main()
