"""The officer's page cannot go stale: every example is a valid policy, and the error is the one that is told."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from policies.document import KINDS, defaults, parse
from policies.errors import PolicyFileError
from policies.ingest import IngestPolicy

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "write-a-policy.md").read_text("utf-8")
EXAMPLES = dict(re.findall(r"```yaml\n(# (?:\w+)\.yaml\n.*?)```()", PAGE, re.DOTALL))
SHOWN = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)


def test_each_policy_has_one_example() -> None:
    assert sorted(re.findall(r"^# (\w+)\.yaml$", "\n".join(EXAMPLES), re.MULTILINE)) == sorted(KINDS)
    assert len(EXAMPLES) == PAGE.count("```yaml")


@pytest.mark.parametrize("text", EXAMPLES)
def test_an_example_is_valid(text: str) -> None:
    kind = text.removeprefix("# ").partition(".yaml")[0]
    assert parse(text, f"{kind}.yaml", KINDS[kind], defaults(kind)) != parse("", "", KINDS[kind], defaults(kind))


def test_the_error_shown_is_the_error_told() -> None:
    wrong = "limits:\n  depht: 3\nfindings:\n  error: rejct"
    with pytest.raises(PolicyFileError) as caught:
        parse(wrong, "policies/ingest.yaml", IngestPolicy, defaults("ingest"))
    assert [f"{caught.value}\n"] == SHOWN
