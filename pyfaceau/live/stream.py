"""Live frames for other programs: lines of JSON, a WebSocket, Lab Streaming Layer.

Each listener has a place for one frame: one that is slow misses frames, and slows nobody.
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import json
import threading
from contextlib import suppress
from typing import IO, Any
from urllib.parse import parse_qs, urlsplit

from pyfaceau.errors import InputError, OutputError
from pyfaceau.live.engine import LiveEngine
from pyfaceau.live.latest import Latest
from pyfaceau.live.message import SCHEMA, LiveFrame

END = json.dumps({"type": "end", "schema": SCHEMA}, separators=(",", ":"))
"""The last message."""

_CLIENTS = 32


class LineWriter:
    """Writes a line of JSON for each frame, in a thread of its own.

    Parameters
    ----------
    engine : LiveEngine
        Not started yet.
    stream : text file
        Such as standard output. When its reader goes away the session ends.
    """

    def __init__(self, engine: LiveEngine, stream: IO[str]) -> None:
        self._engine, self._stream = engine, stream
        self._frames = engine.listen(Latest())
        self._thread = threading.Thread(target=self._run, name="live lines", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def join(self, seconds: float = 1.0) -> None:
        """Wait until the last line is written, but not for a reader that does not read.

        Parameters
        ----------
        seconds : float
            How long at most.
        """
        self._thread.join(seconds)

    def _run(self) -> None:
        try:
            while (frame := self._frames.take()) is not None:
                self._stream.write(frame.line() + "\n")
                self._stream.flush()
            self._stream.write(END + "\n")
            self._stream.flush()
        except (OSError, ValueError):  # the reader is gone, or the stream is closed
            self._engine.stop()


def parse_address(text: str) -> tuple[str, int]:
    """Read the address to serve on.

    Parameters
    ----------
    text : str
        ``HOST:PORT``, HOST a numeric address or ``localhost``; IPv6 in brackets.

    Returns
    -------
    host : str
        A numeric address.
    port : int
        0 to 65535; 0 takes a free one.

    Raises
    ------
    InputError
        If the text is anything else.
    """
    host, colon, port = text.rpartition(":")
    host = "127.0.0.1" if host == "localhost" else host.strip("[]")
    try:
        ipaddress.ip_address(host)
        number = int(port)
    except ValueError:
        number = -1
    if not colon or number not in range(65536):
        raise InputError(f"serve: expected ADDRESS:PORT such as 127.0.0.1:8765, got {text!r}")
    return host, number


class FrameServer:
    """A WebSocket server of live frames, in a thread of its own.

    Any number of clients up to 32. On loopback, web pages of other origins are refused; on any
    other address who connects must know the token.

    Parameters
    ----------
    engine : LiveEngine
        What the frames come from.
    host : str
        Numeric address.
    port : int
        0 takes a free one.
    token : str, optional
        What clients must bring, as ``?token=...`` or ``Authorization: Bearer ...``.

    Attributes
    ----------
    port : int
        Where it listens, once started.

    Raises
    ------
    InputError
        If the address is not loopback and there is no token, or the library is not installed.
    """

    def __init__(self, engine: LiveEngine, host: str, port: int, token: str | None = None) -> None:
        if not ipaddress.ip_address(host).is_loopback and not token:
            raise InputError(
                f"serve: {host} can be reached from other machines: expected a --token for it"
            )
        try:
            import websockets.asyncio.server
        except ImportError:
            raise InputError("serve: needs websockets: pip install 'pyfaceau[live]'") from None
        self._library: Any = websockets.asyncio.server
        self._engine, self._host, self._token = engine, host, token
        self.port = port
        self._clients: set[asyncio.Event] = set()
        self._line: str | None = None
        self._number = 0
        self._ended = False
        self._loop = asyncio.new_event_loop()
        self._frames: Latest[LiveFrame] = Latest(self._tell)
        self._failure: OSError | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="live server", daemon=True)

    def start(self) -> None:
        """Begin to listen.

        Raises
        ------
        OutputError
            If the address cannot be had, as when another program has it.
        """
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            raise OutputError(
                f"serve: {self._host}:{self.port} cannot be had: "
                f"{self._failure.strerror or self._failure}; take another port"
            )
        self._engine.listen(self._frames)

    @property
    def address(self) -> str:
        """Where it listens: host and port."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{host}:{self.port}"

    def close(self) -> None:
        """Say goodbye to the clients and stop."""
        self._frames.close()
        self._thread.join(3.0)

    def _tell(self) -> None:
        """Wake the server's thread; called by the tracking thread, which must not wait."""
        with suppress(RuntimeError):  # the loop is closed: nobody listens any more
            self._loop.call_soon_threadsafe(self._renew)

    def _renew(self) -> None:
        """Take the newest frame and tell the clients' tasks."""
        frame = self._frames.take(wait=False)
        if frame is not None and self._clients:
            self._line = frame.line()
            self._number += 1
        self._ended = self._frames.closed
        for event in self._clients:
            event.set()
        if self._ended:
            self._done.set()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        except OSError as error:
            self._failure = error
        finally:
            self._ready.set()
            self._loop.close()

    async def _serve(self) -> None:
        self._done = asyncio.Event()
        server = await self._library.serve(
            self._attend,
            self._host,
            self.port,
            process_request=self._admit,
            compression=None,
            max_size=1024,
            close_timeout=1,
        )
        async with server:
            self.port = server.sockets[0].getsockname()[1]
            self._ready.set()
            await self._done.wait()
            await asyncio.sleep(0.1)  # the clients' tasks send the last message

    def _admit(self, connection: Any, request: Any) -> Any:
        """Refuse strangers: return an answer for them, None for who may stay."""
        if self._token:
            query = parse_qs(urlsplit(request.path).query).get("token", [""])[0]
            header = request.headers.get("Authorization", "").removeprefix("Bearer ")
            given = (query or header).encode()
            if not hmac.compare_digest(given, self._token.encode()):
                return connection.respond(401, "expected ?token=... or Authorization: Bearer\n")
        elif (origin := request.headers.get("Origin")) is not None and not _is_local(origin):
            return connection.respond(403, "pages of other origins need a --token\n")
        if len(self._clients) >= _CLIENTS:
            return connection.respond(503, f"{_CLIENTS} clients are connected already\n")
        return None

    async def _attend(self, connection: Any) -> None:
        """Send a client the newest frame whenever it has taken the last one."""
        closed = self._library_errors()
        event = asyncio.Event()
        self._clients.add(event)
        seen = self._number
        try:
            while not self._ended:
                await event.wait()
                event.clear()
                if self._number != seen and self._line is not None:
                    seen = self._number
                    await connection.send(self._line)
            await connection.send(END)
        except closed:
            pass
        finally:
            self._clients.discard(event)

    @staticmethod
    def _library_errors() -> type[Exception]:
        from websockets.exceptions import ConnectionClosed

        return ConnectionClosed


def _is_local(origin: str) -> bool:
    """Tell whether a web page's origin is this machine."""
    return urlsplit(origin).hostname in ("localhost", "127.0.0.1", "::1")
