"""The list of codes is what the code of `ingest` says, and a policy that names another is refused."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import astuple
from pathlib import Path
from typing import Any

from ingest.codes import CODES, EARK, OCFL
from ingest.sip_eark_rules import DIVISION_IDS, IDENTIFIED, REFERENCES, RULES
from policies import document

ROOT = Path(__file__).parents[2]


def _made() -> Iterator[str]:
    """The first argument of each call of `error`, `warning` and `info`; a part that is put in stands as *."""
    for source in (ROOT / "ingest").glob("*.py"):
        for call in ast.walk(ast.parse(source.read_text("utf-8"))):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") in ("error", "warning", "info"):
                match call.args[0]:
                    case ast.Constant(value=str(code)):
                        yield code
                    case ast.BinOp(left=ast.Constant(value=str(code))):
                        yield code + "*"


def test_every_code_is_listed() -> None:
    made = set(_made())
    assert {code for code in made if re.fullmatch(r"[EW]\d{3}", code)} <= OCFL
    ruled = {*DIVISION_IDS.values(), *IDENTIFIED.values(), *(rule.code for rule in RULES)}
    ruled |= {code for codes in REFERENCES.values() for code in astuple(codes)}
    assert ruled | {code for code in made if re.fullmatch(r"(CSIP|CSIPSTR|SIP)\d+", code)} <= EARK
    made, ours = made - OCFL - EARK, CODES - OCFL - EARK
    begun = tuple(code[:-1] for code in made if code.endswith("*"))
    assert {code for code in ours if not code.startswith(begun)} == {code for code in made if not code.endswith("*")}
    assert all(any(code.startswith(start) for code in CODES) for start in begun)


def test_a_policy_with_a_misspelt_code_is_refused(tianyi: Callable[..., Any], repository: Path, tmp_path: Path) -> None:
    (repository / "policies" / "ingest.yaml").write_text("findings: {codes: {link-keptt: hold}}\n")
    (tmp_path / "source").mkdir()
    answer = tianyi("ingest", tmp_path / "source", at=repository)
    assert (answer.code, answer.said["code"]) == (5, "policy-invalid")
    assert "ingest.yaml:1: findings.codes.link-keptt: no finding has" in answer.said["message"]
    assert "did you mean link-kept?" in answer.said["message"]


def test_a_policy_can_name_every_code(tmp_path: Path) -> None:
    lines = [f"    {code}: accept" for code in sorted(CODES)]
    (tmp_path / "ingest.yaml").write_text("\n".join(["findings:", "  codes:", *lines]))
    assert document.load(tmp_path).ingest.findings.codes.keys() == CODES
