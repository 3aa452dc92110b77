"""A DNS server on loopback that answers with what it is told, or is silent."""

from __future__ import annotations

import socket
import struct
import threading
from typing import Self

A = 1
"""The type of record that it has."""


class NameServer:
    """``names``: name to IPv4 address, which may change; ``silent``: questions find no answer."""

    def __init__(self, names: dict[str, str]) -> None:
        self.names, self.silent, self.asked = names, False, 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def _run(self) -> None:
        while True:
            try:
                message, peer = self._socket.recvfrom(8192)
            except OSError:
                return
            self.asked += 1
            if not self.silent:
                self._socket.sendto(self._answer(message), peer)

    def _answer(self, message: bytes) -> bytes:
        labels, end = [], 12
        while length := message[end]:
            labels.append(message[end + 1 : end + 1 + length].decode())
            end += 1 + length
        question = message[12 : end + 5]
        [kind] = struct.unpack("!H", message[end + 1 : end + 3])
        address = self.names.get(".".join(labels)) if kind == A else None
        answer = b"\xc0\x0c" + struct.pack("!HHIH", A, 1, 5, 4) + socket.inet_aton(address) if address else b""
        return message[:2] + struct.pack("!HHHHH", 0x8580, 1, 1 if address else 0, 0, 0) + question + answer
