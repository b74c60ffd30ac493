"""Downloading one file over HTTPS, going on where an earlier attempt stopped."""

from __future__ import annotations

import http.client
import re
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pyfaceau.errors import PyfaceauError
from pyfaceau.models.manifest import is_safe_address

TIMEOUT = 30.0
"""Seconds without a byte after which a connection counts as dead."""


class DownloadError(PyfaceauError):
    """A file cannot be downloaded."""


class UnreachableError(DownloadError):
    """A host does not answer, so that its other files need not be tried."""


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    """Follow redirects, but never to an address that is not https."""

    def redirect_request(
        self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        if not is_safe_address(newurl):
            raise DownloadError(f"{req.full_url}: redirects to {newurl}, which is not https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def download(
    url: str, part: Path, *, gained: Callable[[int], object], limit: int | None = None
) -> None:
    """Download `url` into `part`, going on at its end if it exists.

    Parameters
    ----------
    url : str
        Address, https.
    part : Path
        File to write; its folder must exist. Kept on failure, for the next attempt.
    gained : callable
        Is told the number of bytes gained, negative where earlier ones had to be dropped.
    limit : int or None
        Size of the file, bytes: what is longer is refused.

    Raises
    ------
    UnreachableError
        If the host does not answer, or stops answering for good.
    DownloadError
        If it answers with an error or with too many bytes.
    """
    opener = urllib.request.build_opener(_SafeRedirects)
    gained(_size(part))
    while (start := _size(part)) != limit or start == 0:
        response = _open(opener, url, start)
        if response is None or _offset(response) not in (0, start):
            _drop(part, gained)
            continue
        with response:
            if _offset(response) != start:
                _drop(part, gained)
            trouble = _append(response, part, gained, limit)
        if not trouble:
            return
        if _size(part) <= start:
            raise UnreachableError(f"{url}: {trouble}")


def _size(part: Path) -> int:
    """Return how many bytes are there already."""
    return part.stat().st_size if part.exists() else 0


def _drop(part: Path, gained: Callable[[int], object]) -> None:
    """Start over."""
    gained(-_size(part))
    part.unlink(missing_ok=True)


def _open(
    opener: urllib.request.OpenerDirector, url: str, start: int
) -> http.client.HTTPResponse | None:
    """Ask for the bytes from `start` on; return None where the host has none from there."""
    request = urllib.request.Request(url, headers={"User-Agent": "pyfaceau"})
    if start:
        request.add_header("Range", f"bytes={start}-")
    try:
        response: http.client.HTTPResponse = opener.open(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        if start and error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return None
        raise DownloadError(f"{url}: HTTP {error.code} {error.reason}") from error
    except urllib.error.URLError as error:
        raise UnreachableError(f"{url}: {error.reason}") from error
    except (OSError, http.client.HTTPException) as error:
        raise UnreachableError(f"{url}: {error or type(error).__name__}") from error
    return response


def _offset(response: http.client.HTTPResponse) -> int:
    """Return where in the file the answer's first byte belongs."""
    if response.status != http.HTTPStatus.PARTIAL_CONTENT:
        return 0
    begin = re.match(r"bytes (\d+)-", response.headers.get("Content-Range") or "")
    return int(begin[1]) if begin else 0


def _append(
    response: http.client.HTTPResponse,
    part: Path,
    gained: Callable[[int], object],
    limit: int | None,
) -> str:
    """Append the answer's body to `part`; return what cut it short, nothing if it is whole."""
    promised = response.headers.get("Content-Length")
    got = 0
    with part.open("ab") as stream:
        while True:
            try:
                block = response.read(1 << 16)
            except (OSError, http.client.HTTPException) as error:
                return str(error) or type(error).__name__
            if not block:
                break
            got += stream.write(block)
            gained(len(block))
            if limit is not None and stream.tell() > limit:
                break
    if limit is not None and _size(part) > limit:
        _drop(part, gained)
        raise DownloadError(f"{response.url}: longer than the {limit:,} bytes expected")
    return "" if promised is None or got == int(promised) else "the connection was closed early"
