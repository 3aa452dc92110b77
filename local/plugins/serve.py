"""Serves a provider to the engine."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from concurrent import futures
from typing import Any

import grpc
from google.protobuf import any_pb2, empty_pb2
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc, status_pb2

WORKERS = 64
"""Resources handled at once; each waits for the API server and not for a core."""


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """Methods that are the same in all stand-in providers."""

    version: str

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version=self.version)

    def Attach(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def CheckConfig(self, request: Any, context: Any) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:
        return provider_pb2.DiffResponse()

    def Configure(self, request: Any, context: Any) -> Any:
        return provider_pb2.ConfigureResponse(
            acceptSecrets=True, acceptResources=False, acceptOutputs=False, supportsPreview=True
        )

    def GetSchema(self, request: Any, context: Any) -> Any:
        return provider_pb2.GetSchemaResponse(schema="{}")

    def Cancel(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()


def fail(context: Any, message: str, details: Any = None) -> Any:
    """Ends the call with an error; ``details`` is a message for the engine, such as ``ErrorResourceInitFailed``."""
    if details is not None:
        packed = any_pb2.Any()
        packed.Pack(details)
        status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=message, details=[packed])
        context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(grpc.StatusCode.UNKNOWN, message)


def serve(provider: Provider) -> None:
    """Serves a provider until the engine ends the process."""
    serve_until_ended(
        lambda server: provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server), WORKERS
    )


def serve_until_ended(register: Callable[[grpc.Server], None], workers: int) -> None:
    """Prints the port, as the engine expects, and serves until the engine ends the process or has ended itself."""
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=workers), options=_GRPC_CHANNEL_OPTIONS)
    register(server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    done = threading.Event()
    # the engine ends its plugins with SIGINT; they have a process group of their own
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, lambda *_: done.set())
    parent = os.getppid()
    while not done.wait(1):
        if os.getppid() != parent:  # the engine was killed, and cannot end its plugins
            break
    server.stop(grace=1)
