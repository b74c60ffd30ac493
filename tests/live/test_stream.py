"""Streams: lines and WebSockets, slow readers, strangers, a second client."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import threading
from pathlib import Path

import numpy as np
import pytest

from pyfaceau.errors import InputError, OutputError
from pyfaceau.live import lsl
from pyfaceau.live.message import columns
from pyfaceau.live.stream import FrameServer, LineWriter, parse_address
from pyfaceau.types import AU_INTENSITIES, AU_PRESENCES
from tests.live.doubles import engine, run

connect = pytest.importorskip("websockets.sync.client").connect
DOCS = Path(__file__).parents[2] / "docs/live.md"


def lines_of(session) -> list[dict]:
    reading, writing = os.pipe()
    with os.fdopen(reading) as reader, os.fdopen(writing, "w") as writer:
        found: list[str] = []
        reads = threading.Thread(target=lambda: found.extend(reader), daemon=True)
        reads.start()  # a pipe holds 64 KiB; who does not read it stops the writer
        lines = LineWriter(session, writer)
        lines.start()
        run(session)
        lines.join()
        writer.close()
        reads.join()
        return [json.loads(line) for line in found]


def test_lines_hold_what_the_docs_say() -> None:
    *frames, end = lines_of(engine(count=90, work=0.003, landmarks="clnf"))
    assert end == {"type": "end", "schema": 1}
    numbers = [frame["frame"] for frame in frames]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] == 90
    first = next(frame for frame in frames if frame["success"])
    missing = next(frame for frame in frames if not frame["success"])
    assert missing["frame"] % 3 == 0
    assert np.shape(first["landmarks"]) == (68, 2)
    assert first["pose"] == {"translation": [0, 0, 800], "rotation": [0, 0, 0]}
    assert first["gaze"]["vectors"][1] == [0.6, 0, -0.8]
    assert tuple(first["au_r"]) == AU_INTENSITIES
    assert tuple(first["au_c"]) == AU_PRESENCES
    assert 0 <= first["au_r"]["AU02_r"] <= 5
    assert missing["reason"] == "no face detected"
    empty = ("landmarks", "pose", "gaze", "au_r", "au_c")
    assert [missing[name] for name in empty] == [None] * 5
    documented = re.findall(r"^\| `(\w+)` \|", DOCS.read_text("utf-8"), re.MULTILINE)
    assert set(first) <= set(documented)
    assert set(columns(gaze=False)[:7]) <= set(documented)


def test_a_reader_that_does_not_read_slows_nobody() -> None:
    """A pipe holds some 64 KB, fewer than forty messages."""
    session = engine(count=300, work=0.003)
    reading, writing = os.pipe()
    writer = os.fdopen(writing, "w")
    lines = LineWriter(session, writer)
    lines.start()
    run(session)
    lines.join(0.1)
    assert session.error is None
    assert lines._frames.dropped > 150
    os.close(reading)  # now the writer learns that nobody reads
    lines.join(5)
    assert not lines._thread.is_alive()
    with contextlib.suppress(BrokenPipeError):
        writer.close()


def test_a_reader_that_goes_away_ends_the_session() -> None:
    session = engine(count=100_000, work=0.003)
    reading, writing = os.pipe()
    os.close(reading)
    writer = os.fdopen(writing, "w")
    LineWriter(session, writer).start()
    run(session)
    assert session.error is None
    with contextlib.suppress(BrokenPipeError):
        writer.close()


@pytest.fixture
def served():
    session = engine(count=100_000, work=0.003)
    server = FrameServer(session, "127.0.0.1", 0)
    server.start()
    session.start()
    yield server
    session.stop()
    session.join()
    server.close()


def test_two_clients_and_one_that_sleeps(served: FrameServer) -> None:
    url = f"ws://{served.address}"
    first, second, sleeper = (connect(url, close_timeout=0.1) for _ in range(3))
    with first, second, sleeper:
        numbers = [json.loads(first.recv(5))["frame"] for _ in range(100)]
        others = [json.loads(second.recv(5))["frame"] for _ in range(20)]
        assert numbers == sorted(set(numbers))
        assert others == sorted(set(others))
        assert numbers[-1] - numbers[0] < 150, "a reader that reads gets nearly every frame"
    assert served._engine.running


def test_the_last_message_says_that_it_is_the_last() -> None:
    session = engine(count=60, work=0.003)
    server = FrameServer(session, "127.0.0.1", 0)
    server.start()
    with connect(f"ws://{server.address}") as client:
        thread = threading.Thread(target=run, args=(session,))
        thread.start()
        messages = [json.loads(message) for message in client]
        thread.join(5)
    server.close()
    assert messages[-1] == {"type": "end", "schema": 1}
    assert len(messages) > 2


def status(server: FrameServer, path: str = "/", **headers: str) -> int:
    """Return the answer to a handshake by hand."""
    with socket.create_connection(("127.0.0.1", server.port), 5) as link:
        fields = {
            "Host": server.address,
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Version": "13",
            **headers,
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        link.sendall(f"GET {path} HTTP/1.1\r\n{head}\r\n".encode())
        return int(link.recv(100).split()[1])


def test_pages_of_strangers_are_refused(served: FrameServer) -> None:
    assert status(served, Origin="https://example.org") == 403
    assert status(served, Origin="http://localhost:3000") == 101
    assert status(served) == 101


def test_a_token_is_asked_for_where_there_is_one() -> None:
    session = engine(count=3)
    with pytest.raises(InputError, match=r"serve: 0\.0\.0\.0 can be reached from other machines"):
        FrameServer(session, "0.0.0.0", 0)  # noqa: S104 - that this is refused is the test
    server = FrameServer(session, "127.0.0.1", 0, token="secret")  # noqa: S106
    server.start()
    assert status(server) == 401
    assert status(server, "/?token=guess") == 401
    assert status(server, "/?token=secret", Origin="https://example.org") == 101
    assert status(server, Authorization="Bearer secret") == 101
    server.close()


def test_an_address_that_is_taken(served: FrameServer) -> None:
    other = FrameServer(engine(), "127.0.0.1", served.port)
    with pytest.raises(OutputError, match=rf"serve: 127\.0\.0\.1:{served.port} cannot be had: "):
        other.start()


def test_addresses() -> None:
    assert parse_address("localhost:8765") == ("127.0.0.1", 8765)
    assert parse_address("[::1]:0") == ("::1", 0)
    for text in ("8765", "example.org:80", "127.0.0.1:", "127.0.0.1:99999", ""):
        with pytest.raises(InputError, match="serve: expected ADDRESS:PORT such as"):
            parse_address(text)


def test_samples_of_lab_streaming_layer() -> None:
    session = engine(count=3)
    frames = []
    session.listen(type("All", (), {"put": lambda _, f: frames.append(f), "close": list})())
    run(session)
    seen, missing = lsl.sample(frames[1]), lsl.sample(frames[2])
    assert len(seen) == len(missing) == len(lsl.CHANNELS)
    assert dict(zip(lsl.CHANNELS, seen, strict=True))["AU02_r"] == 1
    assert np.isnan(missing[1:]).all()
