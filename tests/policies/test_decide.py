"""Decisions and their reasons: what is told has a golden file; what holds always is a property."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.decide import Keep, MigrateTo, decide_ingest, plan_for
from policies.document import KINDS, defaults, load, parse
from policies.ingest import IngestPolicy

GOLDEN = Path(__file__).parent / "golden" / "reasons.txt"
OURS = parse("findings: {codes: {virus-not-scanned: hold, empty-folder: reject, zip-damaged: hold}}", "a.yaml",
             IngestPolicy, defaults("ingest"))  # fmt: skip
SHIPPED = load(None)

SIPS = {
    "nothing found": [],
    "one error": [("zip-damaged", "error")],
    "many of three": [("unidentified-format", "warning")] * 3 + [("zip-damaged", "error")] + [("renamed", "info")] * 2,
    "one code, two severities": [("not-readable", "warning"), ("not-readable", "error")],
}
FINDINGS = st.lists(
    st.tuples(
        st.sampled_from(["virus-not-scanned", "empty-folder", "zip-damaged", "other"]),
        st.sampled_from(["error", "warning", "info"]),
    )
)
WEIGHT = ["accept", "hold", "reject"]


def shown() -> str:
    blocks = []
    for title, findings in SIPS.items():
        for called, policy in (("what ships", SHIPPED.ingest), ("ours", OURS)):
            decision = decide_ingest(Counter(findings), policy)
            blocks.append("\n".join((f"# {title}, {called}: {decision.outcome}", *decision.because)))
    for puid in ("fmt/116", "fmt/3", "fmt/568", "fmt/276", "fmt/99999"):
        plan = plan_for(puid, SHIPPED)
        blocks.append("\n".join((f"# {puid}: {type(plan).__name__}", *plan.because)))
    return "\n\n".join(blocks) + "\n"


def test_every_reason_as_it_was() -> None:
    assert shown() == GOLDEN.read_text("utf-8")


def test_a_million_findings_give_a_short_list() -> None:
    decision = decide_ingest({("unidentified-format", "warning"): 1_000_000}, SHIPPED.ingest)
    because = "1000000 × unidentified-format is a warning: accept (ingest.findings.warning)"
    assert (decision.outcome, decision.because) == ("accept", (because,))


def test_a_severity_that_nobody_knows_is_never_accepted() -> None:
    with pytest.raises(ValueError, match="not a severity: 'fatal'"):
        decide_ingest({("a", "info"): 1, ("b", "fatal"): 1}, SHIPPED.ingest)


@given(FINDINGS, st.randoms())
def test_the_order_of_findings_does_not_matter(findings: list[tuple[str, str]], random: object) -> None:
    shuffled = sorted(findings, key=lambda _: random.random())  # type: ignore[attr-defined]
    assert decide_ingest(Counter(shuffled), OURS) == decide_ingest(Counter(findings), OURS)


@given(FINDINGS)
def test_the_severest_wins(findings: list[tuple[str, str]]) -> None:
    alone = [decide_ingest({finding: 1}, OURS).outcome for finding in findings]
    assert decide_ingest(Counter(findings), OURS).outcome == max(alone, key=WEIGHT.index, default="accept")


@given(FINDINGS, FINDINGS)
def test_more_findings_never_soften(some: list[tuple[str, str]], more: list[tuple[str, str]]) -> None:
    before, after = (decide_ingest(Counter(found), OURS).outcome for found in (some, some + more))
    assert WEIGHT.index(after) >= WEIGHT.index(before)


def test_every_format_of_a_rule_is_planned_by_that_rule() -> None:
    for rule in SHIPPED.migration.rules:
        for puid in rule.puids:
            match plan_for(puid, SHIPPED):
                case MigrateTo(name, to, representation):
                    assert (name, to, representation) == (rule.name, rule.to, rule.representation)
                case Keep():
                    pytest.fail(puid)


def test_the_kinds_are_the_fields_of_the_whole() -> None:
    assert set(KINDS) == set(type(SHIPPED).model_fields)
