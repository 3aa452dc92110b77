"""Sends requests, twenty a second and each on a new connection, until it is told to end; prints how many, and what failed."""

from __future__ import annotations

import json
import signal
import sys
import time
import urllib.request


def main() -> None:
    """The URL is the first argument."""
    asked: list[bool] = []
    signal.signal(signal.SIGTERM, lambda *_: asked.append(True))
    sent, failures = 0, []
    while not asked:
        sent += 1
        try:
            with urllib.request.urlopen(sys.argv[1], timeout=5) as answer:
                answer.read()
        except OSError as error:
            failures.append(f"{time.strftime('%H:%M:%S')} {error}")
        time.sleep(0.05)
    print(json.dumps({"sent": sent, "failures": failures}))


if __name__ == "__main__":
    main()
