"""Who may decide: agents that tianyi.toml declares, each, where it says so, for one user of the system alone; and why.

This is organisational control, not access control: whoever can write tianyi.toml can act as anybody.
"""

from __future__ import annotations

from collections.abc import Sequence

from ingest.terms import LONGEST
from repository.config import Agent
from repository.errors import BadRequest, NotYourAgent, UndeclaredAgent


def deciding(agents: Sequence[Agent], name: str, user: str) -> Agent:
    """The declared agent of that name, for that user of the system ("uid-1000"); raise UndeclaredAgent or
    NotYourAgent."""
    found = next((agent for agent in agents if agent.name == name), None)
    if found is None:
        raise UndeclaredAgent(name, [agent.name for agent in agents])
    if found.user not in ("", user):
        raise NotYourAgent(name, found.user, user)
    return found


def on_record(reason: str) -> str:
    """An officer's reason as it goes on record: one line, and not too long; raise BadRequest where there is none."""
    text = reason.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    why = " ".join("".join(c if c.isprintable() else " " for c in text).split())[:LONGEST]
    if not why:
        raise BadRequest("A decision has its reason on record, and none was given.", 'Add --reason "…".')
    return why
