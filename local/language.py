"""A language host for Python, in place of ``pulumi-language-python``, which cannot be downloaded here.

The SDK has the servicer (its automation API runs inline programs with it); this module runs the program's
``__main__.py``.
"""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.automation._server import LanguageServer
from pulumi.runtime.proto import language_pb2, language_pb2_grpc

from .plugins.serve import serve_until_ended


class Python(LanguageServer):
    """Runs ``<program folder>/__main__.py`` in this process; one program for each process."""

    def __init__(self, engine: str) -> None:
        super().__init__(lambda: None)
        self._engine = engine

    def Handshake(self, request: Any, context: Any) -> Any:
        self._engine = request.engine_address or self._engine
        return language_pb2.LanguageHandshakeResponse()

    def Run(self, request: Any, context: Any) -> Any:
        folder = Path(request.info.program_directory) / (request.info.entry_point or ".")
        sys.path.insert(0, str(folder))
        self.program = lambda: _execute(folder / "__main__.py")
        if not request.args:
            request.args.append(self._engine)
        return super().Run(request, context)  # type: ignore[no-untyped-call]  # the SDK's servicer has no annotations

    def RunPlugin(self, request: Any, context: Any) -> Iterator[Any]:
        """Runs a policy pack with the engine's arguments; the engine reads its port from its output."""
        if request.kind != "analyzer":
            context.abort(grpc.StatusCode.UNIMPLEMENTED, f"plugins of kind {request.kind!r} are not run here")
        environment = {**os.environ, **dict(entry.split("=", 1) for entry in request.env)}
        environment.pop("PYTHONPATH", None)  # a pack is self-contained
        command = [sys.executable, "-u", "-m", "pulumi.policy", *request.args, request.info.program_directory]
        process = subprocess.Popen(
            command,
            cwd=request.pwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=sys.stderr,
        )
        context.add_callback(process.terminate)
        assert process.stdout is not None
        for line in process.stdout:
            yield language_pb2.RunPluginResponse(stdout=line)
        yield language_pb2.RunPluginResponse(exitcode=process.wait())

    def GetProgramDependencies(self, request: Any, context: Any) -> Any:
        return language_pb2.GetProgramDependenciesResponse()

    def Cancel(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()


def _execute(program: Path) -> None:
    runpy.run_path(str(program), run_name="__main__")


def main() -> None:
    """Serves the engine, whose address is the last argument."""
    servicer = Python(sys.argv[-1])
    serve_until_ended(
        lambda server: language_pb2_grpc.add_LanguageRuntimeServicer_to_server(servicer, server), workers=4
    )


if __name__ == "__main__":
    main()
