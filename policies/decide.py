"""Facts → decisions with their reasons, pure. Whoever records one names the policy by `Policies.digest`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from policies.effective import Policies
from policies.formats import FormatsPolicy
from policies.ingest import Findings, IngestPolicy, Outcome
from policies.migration import Target

_LIGHTNESS: dict[Outcome, int] = {"reject": 0, "hold": 1, "accept": 2}
_CALLED = {"error": "an error", "warning": "a warning", "info": "information"}


@dataclass(frozen=True, slots=True)
class Decision:
    """What happens to a SIP; `because` has one reason for each kind of finding, the weightiest first."""

    outcome: Outcome
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MigrateTo:
    """A file gets another in the format `to`, in `representation`; the original stays."""

    rule: str
    to: Target
    representation: str
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Keep:
    """A file stays as it is."""

    because: tuple[str, ...]


Plan: TypeAlias = MigrateTo | Keep


def decide_ingest(findings: Mapping[tuple[str, str], int], policy: IngestPolicy) -> Decision:
    """Judge findings: how many there are of each code and severity ("error", "warning", "info"); the severest wins.
    Raises ValueError for another severity."""
    judged = sorted(_reason(code, severity, times, policy) for (code, severity), times in findings.items())
    if not judged:
        return Decision("accept", ("no findings: accept",))
    return Decision(judged[0].outcome, tuple(reason.text for reason in judged))


@dataclass(frozen=True, slots=True, order=True)
class _Reason:
    """One kind of finding, judged; sorts by weight, then by code and severity."""

    lightness: int
    code: str
    severity: str
    outcome: Outcome
    text: str


def _reason(code: str, severity: str, times: int, policy: IngestPolicy) -> _Reason:
    outcome, field = _judge(code, severity, policy.findings)
    counted = f"{times} × {code}" if times > 1 else f"finding {code}"
    text = f"{counted} is {_CALLED[severity]}: {outcome} ({field})"
    return _Reason(_LIGHTNESS[outcome], code, severity, outcome, text)


def _judge(code: str, severity: str, findings: Findings) -> tuple[Outcome, str]:
    """(outcome, the field of the policy that says so)."""
    if severity not in _CALLED:
        raise ValueError(f"not a severity: {severity!r} (of finding {code})")
    if code in findings.codes:
        return findings.codes[code], f"ingest.findings.codes.{code}"
    outcome: Outcome = getattr(findings, severity)
    return outcome, f"ingest.findings.{severity}"


def plan_for(puid: str, policies: Policies) -> Plan:
    """What the policies plan for a file of the format `puid`, with the rule and the format's risk as reasons."""
    rule, risk = policies.migration.rule_for(puid), _risk(puid, policies.formats)
    if rule is None:
        return Keep((f"no rule names {puid} (migration.rules)", risk))
    reason = f"rule {rule.name} names {puid}: {rule.because}"
    return MigrateTo(rule.name, rule.to, rule.representation, (reason, risk))


def _risk(puid: str, formats: FormatsPolicy) -> str:
    known = formats.risks.get(puid)
    if known is None:
        return f"risk unknown: no policy lists {puid} (formats.risks)"
    return f"risk {known.risk}: {known.name}, {known.reason} ({known.source})"
