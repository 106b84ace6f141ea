"""What happened to a delivery on its way in, as PREMIS events and agents (event types of id.loc.gov)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import UUID

from ingest.identify import Identifier
from ingest.sip import Sip
from ingest.worklist import Worklist
from policies.decide import Decision
from storage.premis import Agent, Happening

SCHEDULER = "scheduler"  # the agent of jobs that nobody started


@dataclass(frozen=True, slots=True)
class Actors:
    """Who acts: the agent's identifier, our own name and version, the identifier of formats."""

    agent: str
    software: str
    identifier: Identifier


def happenings(
    sip: Sip, worklist: Worklist, actors: Actors, decision: Decision, new_id: Callable[[], UUID], time: str
) -> tuple[list[Happening], list[Agent]]:
    """The events of a first version, in their order, and the agents that they name."""
    events = [
        Happening(id=str(new_id()), type=kind, time=time, detail=detail, outcome=outcome, note=note, agents=agents)
        for kind, detail, outcome, note, agents in _told(sip, worklist, actors, decision)
    ]
    name, _, version = actors.software.rpartition(" ")
    agents = [
        acting(actors.agent),
        Agent(id=actors.software, name=name, kind="software", version=version),
        Agent(
            id=_id(actors.identifier), name=actors.identifier.name, kind="software", version=actors.identifier.version
        ),
    ]
    return events, agents


def acting(agent: str) -> Agent:
    """Who acts, as a PREMIS agent: a person, unless it is the scheduler."""
    return Agent(id=agent, name=agent, kind="software" if agent == SCHEDULER else "person")


def _told(
    sip: Sip, worklist: Worklist, actors: Actors, decision: Decision
) -> Iterator[tuple[str, str, str, str, tuple[str, ...]]]:
    files, size = worklist.totals()
    us, fido = (actors.software,), (_id(actors.identifier),)
    if sip.container:
        box = sip.container
        yield "unpacking", f"{box.name}, {box.size} bytes, {box.digest}", "success", "", us
    yield "message digest calculation", f"SHA-256 of {files} files, {size} bytes", "success", "", us
    if claims := next(worklist.select("select count(*) from claims"))[0]:
        yield "fixity check", f"{claims} digests that the producer stated", "pass", "", us
    if sip.bag:
        version = ".".join(map(str, sip.bag.declared.version))
        yield "validation", f"BagIt {version}", "valid", _warnings(worklist), us
    known = next(worklist.select("select count(*) from items where kind = 'file' and formats != '[]'"))[0]
    yield "format identification", f"{known} of {files} files recognised", "success", "", fido
    yield "ingestion end", "; ".join(decision.because), "accepted", "", (actors.agent, *us)


def _warnings(worklist: Worklist) -> str:
    rows = worklist.select("select code, count(*) from findings where severity = 'warning' group by code order by code")
    return ", ".join(f"{count} × {code}" for code, count in rows)


def _id(identifier: Identifier) -> str:
    return f"{identifier.name} {identifier.version}"
