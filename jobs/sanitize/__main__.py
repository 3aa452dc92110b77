"""``python -m jobs.sanitize``: the commands in a container; mistakes exit with 2, trouble with 1, never with a traceback."""

from __future__ import annotations

import sys

from config.errors import ConfigError

from .commands import app
from .errors import Trouble


def main() -> None:
    """Runs a command."""
    try:
        app(prog_name="sanitize")
    except (ConfigError, Trouble) as error:
        print(error, file=sys.stderr)
        raise SystemExit(2 if isinstance(error, ConfigError) else 1) from None


if __name__ == "__main__":
    main()
