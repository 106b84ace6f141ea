"""A witness that is asked by HTTP (c2sp.org/tlog-witness, add-checkpoint): one of those, or any that takes a POST."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable

from fixity.web import Answer, ask
from fixity.witness import LARGEST, Contradicted, NotGiven, Parcel

_MOST = 1 << 16  # bytes of an answer
_STALE, _UNPROVED = 409, 422
_SIGNED = re.compile("(\u2014 [^\n]+\n)+")


class WebWitness:
    """The URL takes checkpoints; `again` makes the parcel for a witness that has another one than we believed."""

    def __init__(self, url: str, again: Callable[[int], Parcel]) -> None:
        self._url, self._again = url, again

    def newest(self) -> str | None:
        return None

    def give(self, parcel: Parcel) -> str:
        answer = self._post(parcel)
        if answer.status == _STALE and (size := _size(answer)) is not None:
            if size > parcel.size:
                raise Contradicted(f"it has a checkpoint over {size} entries, and the log has signed {parcel.size}")
            answer = self._post(self._again(size))
        if answer.status == _UNPROVED:
            raise Contradicted("it says that the log does not go on from what it has")
        if not 200 <= answer.status < 300:
            raise NotGiven(f"it answers {answer.status}")
        text = answer.body.decode("utf-8", "replace")
        return text if _SIGNED.fullmatch(text) and len(text) <= LARGEST else ""

    def _post(self, parcel: Parcel) -> Answer:
        return ask(self._url, body(parcel), {"Content-Type": "text/plain; charset=utf-8"}, _MOST)


def body(parcel: Parcel) -> bytes:
    """The request: from which size, the proof, a blank line, the checkpoint."""
    proof = "".join(f"{b64encode(one).decode()}\n" for one in parcel.proof)
    return f"old {parcel.old}\n{proof}\n{parcel.checkpoint}".encode()


def _size(answer: Answer) -> int | None:
    """What a witness says that it has, where it says so."""
    return int(answer.body) if re.fullmatch(rb"(0|[1-9][0-9]{0,15})\n?", answer.body) else None
