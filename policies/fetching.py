"""From where a bag's missing files are fetched, and how much (RFC 8493 §2.2.3): nothing, unless hosts are named."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from policies.model import Bytes, Every, Model, like, repeated

Scheme = Literal["https", "http"]

_PORT = r"(:[1-9][0-9]{0,4})?"
_NAME = r"(\*\.)?[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*"
Host = Annotated[
    str,
    like(rf"({_NAME}|\[[0-9a-f:.]{{2,45}}\]){_PORT}",
         "not a host: write like archive.example.org, *.example.org, 192.0.2.1:8443 or [2001:db8::1]"),
]  # fmt: skip
MOST_FILES = 100_000  # each is an event of the AIP's first PREMIS segment


class Fetching(Model):
    hosts: tuple[Host, ...] = Field(
        description="Who may be asked: names, `*.` and what they end in, or addresses; a port where it is not the "
        "scheme's own. Nobody else is, also where one of these points to them."
    )
    schemes: tuple[Scheme, ...] = Field(min_length=1, description="https, or http too.")
    private: bool = Field(
        description="Whether hosts whose own name or address is listed may be of this machine or a private network."
    )
    files: Annotated[int, Field(strict=True, gt=0, le=MOST_FILES)] = Field(description="Files of one bag.")
    bytes: Bytes = Field(description="Bytes of one bag, those of tries that failed among them.")
    time_per_file: Every = Field(description="How long one file may take.")
    time_in_all: Every = Field(description="How long all files of one bag may take.")

    @field_validator("hosts", "schemes")
    @classmethod
    def _each_once(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        if twice := repeated(values):
            raise ValueError(f"{twice[0]} is named twice")
        return values
