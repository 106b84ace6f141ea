"""What happened to a delivery on its way in, as PREMIS events and agents (event types of id.loc.gov)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ingest import checks, scan_told
from ingest.identify import Identifier
from ingest.scan import Engine
from ingest.sip import Sip
from ingest.versions import State
from ingest.worklist import Worklist
from policies.decide import Decision
from storage.aip import stamp
from storage.event import SCHEDULER
from storage.ocfl import Version
from storage.premis import Agent, Happening

Told = tuple[str, str, str, str, tuple[str, ...]]
"""An event's type, detail, outcome, note and agents."""


@dataclass(frozen=True, slots=True)
class Actors:
    """Who acts: the agent's identifier, our own name and version, the identifier of formats, the virus scanner."""

    agent: str
    software: str
    identifier: Identifier
    engine: Engine | None = None


def happenings(
    sip: Sip, worklist: Worklist, actors: Actors, decision: Decision, new_id: Callable[[], UUID], time: str,
    state: State,
) -> tuple[list[Happening], list[Agent]]:  # fmt: skip
    """The events of a version, in their order, and the agents that they name: what became of the delivery with the
    first, and with each what its OCFL version says of itself."""
    told = [_ending(actors, decision)] if state.before else _told(sip, worklist, actors, decision)
    events = [
        Happening(id=str(new_id()), type=kind, time=time, detail=detail, outcome=outcome, note=note, agents=agents)
        for kind, detail, outcome, note, agents in told
    ]
    agents = [
        acting(actors.agent),
        ourselves(actors.software),
        Agent(
            id=_id(actors.identifier), name=actors.identifier.name, kind="software", version=actors.identifier.version
        ),
    ]
    if actors.engine:
        agents.append(scan_told.agent(actors.engine))
    if state.told:
        events.insert(0, _made(state.told, str(new_id()), time, first=state.before is None))
        agents += [acting(user) for user in events[0].agents if user not in {agent.id for agent in agents}]
    return events, agents


def _made(told: Version, identifier: str, now: str, *, first: bool) -> Happening:
    """How a version came to be where it comes from (OCFL 1.1 §3.5.3.1)."""
    try:
        time = stamp(datetime.fromisoformat(told.created))
    except ValueError:  # the policy accepts what is not valid
        time = now
    kind = "creation" if first else "modification"
    agents = (told.user,) if told.user else ()
    return Happening(id=identifier, type=kind, time=time, detail=told.message, outcome="success", agents=agents)


def acting(agent: str) -> Agent:
    """Who acts, as a PREMIS agent: a person, unless it is the scheduler."""
    return Agent(id=agent, name=agent, kind="software" if agent == SCHEDULER else "person")


def ourselves(software: str) -> Agent:
    """Tianyi as a PREMIS agent; `software` is its name and version."""
    name, _, version = software.rpartition(" ")
    return Agent(id=software, name=name, kind="software", version=version)


def _told(sip: Sip, worklist: Worklist, actors: Actors, decision: Decision) -> Iterator[Told]:
    files, size = worklist.totals()
    us, fido = (actors.software,), (_id(actors.identifier),)
    if sip.container:
        box = sip.container
        yield "unpacking", f"{box.name}, {box.size} bytes, {box.digest}", "success", "", us
    yield "message digest calculation", f"SHA-256 of {files} files, {size} bytes", "success", "", us
    detail, outcome, note = scan_told.event(worklist, actors.engine)
    yield scan_told.EVENT, detail, outcome, note, (str(actors.engine),) if actors.engine else us
    if claims := next(worklist.select("select count(*) from claims"))[0]:
        outcome = "pass" if next(checks.altered(worklist), None) is None else "fail"
        yield "fixity check", f"{claims} digests that the producer stated", outcome, "", us
    if sip.bag:
        version = ".".join(map(str, sip.bag.declared.version))
        yield "validation", f"BagIt {version}", "valid", _warnings(worklist), us
    known = next(worklist.select("select count(*) from items where kind = 'file' and formats != '[]'"))[0]
    yield "format identification", f"{known} of {files} files recognised", "success", "", fido
    if sip.ocfl and sip.ocfl.spec:
        yield "validation", f"OCFL {sip.ocfl.spec}", "valid", _warnings(worklist), us
    if sip.eark:
        profile = "E-ARK SIP" if sip.eark.document.is_sip else "E-ARK CSIP"
        yield "validation", profile, "valid", _warnings(worklist), us
    if sip.crate:
        yield "validation", f"RO-Crate {sip.crate.version}".strip(), "valid", _warnings(worklist), us
    yield _ending(actors, decision)


def _ending(actors: Actors, decision: Decision) -> Told:
    return "ingestion end", "; ".join(decision.because), "accepted", "", (actors.agent, actors.software)


def _warnings(worklist: Worklist) -> str:
    rows = worklist.select("select code, count(*) from findings where severity = 'warning' group by code order by code")
    return ", ".join(f"{count} × {code}" for code, count in rows)


def _id(identifier: Identifier) -> str:
    return f"{identifier.name} {identifier.version}"
