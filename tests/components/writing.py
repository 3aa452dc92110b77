"""A writer that counts: through the proxy, ten times a second, on a connection that it keeps or on a new one each time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Self

import redis


class Writer:
    """Increments a counter: what it was told once and is not there any more is a lost write."""

    def __init__(self, connect: Callable[[], Any], key: str, *, keeps: bool) -> None:
        self._connect, self._key, self._keeps = connect, key, keeps
        self.outages: list[float] = []
        """Seconds from the last write before a failure to the first one after it."""
        self.lost = self.written = 0
        self.failures: list[str] = []
        self._last = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(10)

    @property
    def longest(self) -> float:
        """Of the outages, in seconds; also of one that a single slow write was."""
        return max(self.outages, default=0)

    def _run(self) -> None:
        client, good = None, time.monotonic()
        while not self._stop.wait(0.1):
            try:
                client = client or self._connect()
                value = int(client.incr(self._key))
            except redis.RedisError as error:
                self.failures.append(str(error))
                self._close(client)
                client = None
                continue
            if value <= self._last:
                self.lost += self._last - value + 1
            self._last, self.written = value, self.written + 1
            now = time.monotonic()
            if now - good > 0.5:
                self.outages.append(now - good)
            good = now
            if not self._keeps:
                self._close(client)
                client = None

    @staticmethod
    def _close(client: Any) -> None:
        with suppress(redis.RedisError):
            if client is not None:
                client.close()
