"""moto's server with one request at a time.

moto stores an account in plain dicts and answers each request in a separate thread: a request that iterates over a dict
while another one deletes from it fails with ``500 Internal Server Error``. The engine deletes the instances of a cluster
side by side, so ``pulumi destroy`` failed with it, once (moto 5.2.5).
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class OneAtATime:
    """A WSGI application that handles one request at a time."""

    def __init__(self, application: WSGIApplication) -> None:
        self.application = application
        self.lock = Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Yields the application's answer, computed while no other request is."""
        with self.lock:
            return self.application(environ, start_response)


def main(port: int) -> None:
    """Serves the account of ``MOTO_ACCOUNT_ID`` on the loopback interface until it is stopped."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
    from werkzeug.serving import run_simple

    application = OneAtATime(DomainDispatcherApplication(create_backend_app))
    run_simple("127.0.0.1", port, application, threaded=True, request_handler=MotoRequestHandler)


if __name__ == "__main__":
    main(int(sys.argv[1]))
