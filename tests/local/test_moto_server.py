"""Requests of an offline account wait for one another."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, BrokenBarrierError
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

from local.moto_server import OneAtATime


def test_no_request_is_answered_while_another_is() -> None:
    """The application waits for a second request beside its own; behind the lock there never is one."""
    together = Barrier(2)

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            together.wait(timeout=0.2)
        except BrokenBarrierError:
            together.reset()
            return [b"alone"]
        return [b"beside another"]

    def answer(served: object) -> bytes:
        assert callable(served)
        return b"".join(served({}, lambda *_: lambda _: None))

    with ThreadPoolExecutor(2) as requests:
        assert list(requests.map(answer, [application, application])) == [b"beside another"] * 2
        served = OneAtATime(application)
        assert list(requests.map(answer, [served, served])) == [b"alone"] * 2
