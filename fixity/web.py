"""One question by HTTP (RFC 9110), bounded: so many bytes, so much time, no redirection."""

from __future__ import annotations

from collections.abc import Mapping
from http.client import HTTPException, HTTPMessage
from typing import IO, NamedTuple
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from fixity.witness import NotGiven

SECONDS = 30.0  # for connecting, and for each wait
MOST = 1 << 20  # bytes of an answer


class Answer(NamedTuple):
    status: int
    body: bytes


class _Stay(HTTPRedirectHandler):
    """Who was named is asked, and nobody else."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        return None


def ask(url: str, data: bytes | None = None, headers: Mapping[str, str] | None = None, most: int = MOST) -> Answer:
    """The answer to a GET, or to a POST where there is data, whatever its status; raise NotGiven where none comes."""
    try:
        with build_opener(_Stay).open(Request(url, data, dict(headers or {})), timeout=SECONDS) as response:
            return Answer(response.status, _read(response, most))
    except HTTPError as refused:
        with refused:
            return Answer(refused.code, _read(refused, most))
    except (OSError, HTTPException, ValueError) as error:
        raise NotGiven(f"it does not answer: {error}") from error


def _read(stream: IO[bytes], most: int) -> bytes:
    body = stream.read(most + 1)
    if len(body) > most:
        raise NotGiven(f"its answer has more than {most} bytes")
    return body
