"""What E-ARK requires of the agents and identifiers in a METS header (CSIP10–16, SIP5–31), pure.

No attribute says which agent is meant to be which, so the one that comes nearest is taken for the one that must be.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ingest.mets import Node
from ingest.sip_eark_failures import Failure
from ingest.sip_eark_rules import MAY, MUST, SHOULD

_BODIES = ("ORGANIZATION", "INDIVIDUAL")
_RECORD_IDS = {
    "SIP5": "SUBMISSIONAGREEMENT", "SIP6": "PREVIOUSSUBMISSIONAGREEMENT", "SIP7": "REFERENCECODE",
    "SIP8": "PREVIOUSREFERENCECODE",
}  # fmt: skip


def broken(header: Node) -> Iterator[Failure]:
    """Yield the rules about agents and record identifiers that the header breaks."""
    agents = [node for node in header.inner if node.name == "agent"]
    yield from _software(agents)
    yield from _archivist([agent for agent in agents if agent.get("ROLE") == "ARCHIVIST"])
    yield from _submitter([agent for agent in agents if _may_submit(agent)])
    yield from _contact([agent for agent in agents if agent.get("ROLE") == "CREATOR" and _is(agent, "INDIVIDUAL")])
    yield from _preserver([agent for agent in agents if agent.get("ROLE") == "PRESERVATION"])
    yield from _record_ids([node for node in header.inner if node.name == "altRecordID"])


def submitter(header: Node) -> str:
    """The name of the organisation or person who submits the package, "" where the header tells none (SIP18)."""
    named = (_names(agent) for agent in header.inner if agent.name == "agent" and _may_submit(agent))
    return next((names[0] for names in named if names), "")


def _software(agents: Sequence[Node]) -> Iterator[Failure]:
    """The agent that says with which software the package was made."""
    if not agents:
        yield Failure("CSIP10", MUST, "there is no agent that tells the software")
        return
    agent = max(agents, key=_likeness)
    for code, attribute, wanted in (
        ("CSIP11", "ROLE", "CREATOR"), ("CSIP12", "TYPE", "OTHER"), ("CSIP13", "OTHERTYPE", "SOFTWARE"),
    ):  # fmt: skip
        if agent.get(attribute) != wanted:
            yield Failure(code, MUST, f'of no agent that tells the software @{attribute} is "{wanted}"')
    if len(_names(agent)) != 1:
        yield Failure("CSIP14", MUST, "the software agent has not exactly one name with text")
    notes = [node for node in agent.inner if node.name == "note"]
    if len(notes) != 1 or not notes[0].text.strip():
        yield Failure("CSIP15", MUST, "the software agent has not exactly one note with text, its version")
    if any(note.get("csip:NOTETYPE") != "SOFTWARE VERSION" for note in notes):
        yield Failure("CSIP16", MUST, 'the @csip:NOTETYPE of the software agent\'s note is not "SOFTWARE VERSION"')


def _likeness(agent: Node) -> int:
    noted = any(node.get("csip:NOTETYPE") == "SOFTWARE VERSION" for node in agent.inner)
    wanted = {"ROLE": "CREATOR", "TYPE": "OTHER", "OTHERTYPE": "SOFTWARE"}
    return sum(agent.get(name) == value for name, value in wanted.items()) + noted


def _archivist(agents: Sequence[Node]) -> Iterator[Failure]:
    if not agents:
        yield Failure("SIP9", MAY, "no agent tells who created the records (ROLE ARCHIVIST)")
    for agent in agents:
        yield from _body(agent, "the archival creator", "SIP11", "SIP12", "SIP14", _BODIES)
        if "note" not in agent.children:
            yield Failure("SIP13", MAY, "the archival creator has no note with an identification code")


def _submitter(agents: Sequence[Node]) -> Iterator[Failure]:
    if not agents:
        yield Failure("SIP15", MUST, "no agent tells who submits the package (ROLE CREATOR; not the software)")
        return
    for agent in agents if len(agents) == 1 else [a for a in agents if _is(a, "ORGANIZATION")]:
        yield from _body(agent, "the submitting agent", "SIP17", "SIP18", "SIP20", _BODIES)
        if "note" not in agent.children:
            yield Failure("SIP19", MAY, "the submitting agent has no note with an identification code")
    for agent in agents:
        if not _is(agent, *_BODIES):
            yield Failure("SIP17", MUST, "the @TYPE of the submitting agent is neither ORGANIZATION nor INDIVIDUAL")


def _contact(agents: Sequence[Node]) -> Iterator[Failure]:
    if not agents:
        yield Failure("SIP21", MAY, "no agent tells whom to ask (ROLE CREATOR, TYPE INDIVIDUAL)")
    for agent in agents:
        if not _names(agent):
            yield Failure("SIP24", MUST, "a contact person has no name")
        if "note" not in agent.children:
            yield Failure("SIP25", MAY, "a contact person has no note with an address")


def _preserver(agents: Sequence[Node]) -> Iterator[Failure]:
    if not agents:
        yield Failure("SIP26", MAY, "no agent tells who preserves the package (ROLE PRESERVATION)")
    for agent in agents:
        yield from _body(agent, "the preservation agent", "SIP28", "SIP29", "SIP31", ("ORGANIZATION",))
        if "note" not in agent.children:
            yield Failure("SIP30", MAY, "the preservation agent has no note with an identification code")


def _body(
    agent: Node, who: str, of_type: str, of_name: str, of_note: str, types: tuple[str, ...]
) -> Iterator[Failure]:  # fmt: skip
    """What an organisation or person among the agents has to say of itself."""
    if not _is(agent, *types):
        yield Failure(of_type, MUST, f"the @TYPE of {who} is not {' or '.join(types)}")
    if not _names(agent):
        yield Failure(of_name, MUST, f"{who} has no name")
    notes = [node for node in agent.inner if node.name == "note"]
    if not _is(agent, "INDIVIDUAL") and any(note.get("csip:NOTETYPE") != "IDENTIFICATIONCODE" for note in notes):
        yield Failure(of_note, MUST, f'the @csip:NOTETYPE of a note of {who} is not "IDENTIFICATIONCODE"')


def _record_ids(nodes: Sequence[Node]) -> Iterator[Failure]:
    for code, kind in _RECORD_IDS.items():
        found = [node for node in nodes if node.get("TYPE") == kind]
        if not found:
            yield Failure(code, MAY, f"there is no altRecordID of the type {kind}")
        if not all(node.text.strip() for node in found):
            yield Failure(code, SHOULD, f"an altRecordID of the type {kind} has no text")
        if code in ("SIP5", "SIP7") and len(found) > 1:
            yield Failure(code, MUST, f"there is more than one altRecordID of the type {kind}")


def _may_submit(agent: Node) -> bool:
    """A creator who is not software, or who says so (the profile's own example does the latter)."""
    if agent.get("ROLE") == "OTHER":
        return agent.get("OTHERROLE") == "SUBMITTER"
    return agent.get("ROLE") == "CREATOR" and agent.get("OTHERTYPE") != "SOFTWARE" and not _is(agent, "OTHER")


def _is(agent: Node, *types: str) -> bool:
    return agent.get("TYPE") in types


def _names(agent: Node) -> list[str]:
    return [node.text.strip() for node in agent.inner if node.name == "name" and node.text.strip()]
