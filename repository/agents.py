"""Who may decide: agents that tianyi.toml declares, each, where it says so, for one user of the system alone.

This is organisational control, not access control: whoever can write tianyi.toml can act as anybody.
"""

from __future__ import annotations

from collections.abc import Sequence

from repository.config import Agent
from repository.errors import NotYourAgent, UndeclaredAgent


def deciding(agents: Sequence[Agent], name: str, user: str) -> Agent:
    """The declared agent of that name, for that user of the system ("uid-1000"); raise UndeclaredAgent or
    NotYourAgent."""
    found = next((agent for agent in agents if agent.name == name), None)
    if found is None:
        raise UndeclaredAgent(name, [agent.name for agent in agents])
    if found.user not in ("", user):
        raise NotYourAgent(name, found.user, user)
    return found
