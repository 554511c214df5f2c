"""A TCP proxy on this machine that spoils what passes through it: for any protocol, and whatever serves it.

    with fault_proxy("127.0.0.1", 5432) as proxy:  # or the path of a Unix socket
        …  connect to proxy.port
        proxy.fault = BlackHole()
        …  and when all is well again
        proxy.fault = Fault()

A fault holds from the next piece that is received, for connections that are open already too; what a fault has swallowed does not
come back. Faults spoil what the server answers; a black hole and a flap also what it is asked.
"""

import asyncio
import os
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

_PIECE = 64 * 1024
_LINGER_NOT = struct.pack("ii", 1, 0)  # a connection that is closed so ends with a reset


class Fault:
    """None: everything passes as it is."""

    is_down = False
    """Whether connections are reset at once."""

    swallows_questions = False

    async def answer(self, piece: bytes, client: asyncio.StreamWriter, before: int) -> None:
        """Pass on what the server has sent.

        Args:
            piece: of its answer.
            client: who is to have it.
            before: bytes that this connection has brought already.
        """
        client.write(piece)
        await client.drain()


@dataclass(frozen=True)
class Latency(Fault):
    """Every piece comes later."""

    seconds: float

    async def answer(self, piece: bytes, client: asyncio.StreamWriter, before: int) -> None:
        await asyncio.sleep(self.seconds)
        await super().answer(piece, client, before)


@dataclass(frozen=True)
class Drip(Fault):
    """Answers come byte by byte."""

    bytes_per_second: float

    async def answer(self, piece: bytes, client: asyncio.StreamWriter, before: int) -> None:
        for byte in piece:
            await asyncio.sleep(1 / self.bytes_per_second)
            await super().answer(bytes([byte]), client, before)


@dataclass(frozen=True)
class ResetAfter(Fault):
    """After so many bytes the connection is reset."""

    bytes: int

    async def answer(self, piece: bytes, client: asyncio.StreamWriter, before: int) -> None:
        await super().answer(piece[: max(0, self.bytes - before)], client, before)
        if before + len(piece) >= self.bytes:
            raise ConnectionResetError


class BlackHole(Fault):
    """Connections are taken, and stay open, and nothing ever passes, either way."""

    swallows_questions = True

    async def answer(self, piece: bytes, client: asyncio.StreamWriter, before: int) -> None:
        return


class HalfClose(Fault):
    """After the first piece the server has nothing more to say, and goes on listening."""

    async def answer(self, piece: bytes, client: asyncio.StreamWriter, before: int) -> None:
        if not before:
            await super().answer(piece, client, before)
            client.write_eof()


class Garbage(Fault):
    """As many bytes as the answer has, and other ones."""

    async def answer(self, piece: bytes, client: asyncio.StreamWriter, before: int) -> None:
        await super().answer(os.urandom(len(piece)), client, before)


@dataclass(frozen=True)
class Flap(Fault):
    """Up and down by turns."""

    up_seconds: float
    down_seconds: float

    @property
    def is_down(self) -> bool:  # type: ignore[override]
        return asyncio.get_running_loop().time() % (self.up_seconds + self.down_seconds) >= self.up_seconds

    async def answer(self, piece: bytes, client: asyncio.StreamWriter, before: int) -> None:
        if self.is_down:
            raise ConnectionResetError
        await super().answer(piece, client, before)


@dataclass
class FaultProxy:
    """A running proxy.

    Args:
        target: host and port, or the path of a Unix socket.
        fault: what it does now; may be changed at any time.
        port: on 127.0.0.1.
        accepted: how many connections it was asked for.
    """

    target: tuple[str, int] | str
    fault: Fault = field(default_factory=Fault)
    port: int = 0
    accepted: int = 0

    async def serve(self, started: threading.Event, stop: asyncio.Event) -> None:
        """Take connections until told to stop, then reset those that are open."""
        relays: set[asyncio.Task[None]] = set()

        def accept(client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
            relays.add(relay := asyncio.ensure_future(self._relay(client, to_client)))
            relay.add_done_callback(relays.discard)

        async with await asyncio.start_server(accept, "127.0.0.1", 0) as server:
            self.port = server.sockets[0].getsockname()[1]
            started.set()
            await stop.wait()
            for relay in relays:
                relay.cancel()
            await asyncio.gather(*relays, return_exceptions=True)
        await asyncio.sleep(0)  # in which the loop closes what was aborted

    async def _relay(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        """One connection, to its end."""
        self.accepted += 1
        writers = [to_client]
        try:
            if self.fault.is_down:
                raise ConnectionResetError
            server, to_server = await self._connect()
            writers.append(to_server)
            await self._both_ways(client, to_client, server, to_server)
        except (OSError, asyncio.CancelledError):
            for writer in writers:
                _reset(writer)
        finally:
            for writer in writers:
                writer.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self.target, str):
            return await asyncio.open_unix_connection(self.target)
        return await asyncio.open_connection(*self.target)

    async def _both_ways(
        self,
        client: asyncio.StreamReader,
        to_client: asyncio.StreamWriter,
        server: asyncio.StreamReader,
        to_server: asyncio.StreamWriter,
    ) -> None:
        asking = asyncio.ensure_future(self._ask(client, to_server))
        try:
            await self._answer(server, to_client)
        finally:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)

    async def _ask(self, client: asyncio.StreamReader, to_server: asyncio.StreamWriter) -> None:
        while piece := await client.read(_PIECE):
            if not self.fault.swallows_questions:
                to_server.write(piece)
                await to_server.drain()
        if not self.fault.swallows_questions:
            to_server.write_eof()

    async def _answer(self, server: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        before = 0
        while piece := await server.read(_PIECE):
            await self.fault.answer(piece, to_client, before)
            before += len(piece)


def _reset(writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
    writer.transport.abort()


@contextmanager
def fault_proxy(host: str, port: int | None = None) -> Iterator[FaultProxy]:
    """Run a proxy in a thread of its own.

    Args:
        host: of the server, or the path of its Unix socket.
        port: of the server; None for a Unix socket.
    """
    proxy = FaultProxy(host if port is None else (host, port))
    loop, stop, started = asyncio.new_event_loop(), asyncio.Event(), threading.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(proxy.serve(started, stop)), name="fault-proxy")
    thread.start()
    try:
        assert started.wait(10)
        yield proxy
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
