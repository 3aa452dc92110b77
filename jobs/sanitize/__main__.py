"""``python -m jobs.sanitize``: the commands in a container. Mistakes exit with 2, failures with 1, without a traceback."""

from __future__ import annotations

import sys
import traceback

from config.errors import UnderstudyError

from .commands import app


def main() -> None:
    """Runs a command."""
    try:
        app(prog_name="sanitize")
    except UnderstudyError as error:
        print(error, file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    except Exception as error:  # noqa: BLE001  # the last resort: a traceback could quote rows
        print(
            f"unexpected {type(error).__name__} at {_where(error)}; staging's data are as they were unless said otherwise",
            file=sys.stderr,
        )
        raise SystemExit(1) from None


def _where(error: Exception) -> str:
    """Returns the file and line that raised the error, without values of a row."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{frame.filename.rpartition('/')[2]}:{frame.lineno}"


if __name__ == "__main__":
    main()
