"""The roc-validator tool: `python -I rocrate_child.py CONTEXTS.json FOLDER`, in the bounded child; JSON Lines.

The folder holds one ro-crate-metadata.json. CONTEXTS.json maps addresses without their scheme to files: every request
that the validator makes is answered from there or fails. Each line of the file `found` is {"check": identifier,
"severity": REQUIRED or RECOMMENDED, "told": sentence, "about": identifier}. Exit 3: this Python has no roc-validator.
Exit 4: a JSON-LD context is not at hand, without which the document means nothing; the last line of stderr is its
address.
"""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout
from typing import Any

NOT_THERE, NO_CONTEXT = 3, 4
_BASE = "ro-crate"


def answers(contexts: Mapping[str, str]) -> Any:
    """What stands in the place of the network, for `requests`."""
    import requests

    def send(adapter: Any, request: Any, **options: Any) -> Any:
        path = contexts.get(str(request.url).partition("://")[2])
        if path is None and "application/ld+json" in request.headers.get("Accept", ""):
            _end(f"\n{request.url}")
        if path is None:
            raise requests.ConnectionError(f"{request.url} is not at hand")
        answer = requests.Response()
        answer.status_code, answer.url, answer.request = 200, request.url, request
        answer.headers["Content-Type"] = "application/ld+json"
        with open(path, "rb") as file:
            answer.raw = io.BytesIO(file.read())
        return answer

    return send


def _end(told: str) -> None:
    """At once: the validator would take what it does not get for the crate's fault, or go on without it."""
    sys.stderr.write(told + "\n")
    sys.stderr.flush()
    os._exit(NO_CONTEXT)


def told(folder: str) -> Iterator[dict[str, str]]:
    """What the validator says of the crate whose document lies in the folder, by each profile that it names."""
    from rocrate_validator import models, services

    asked: dict[str, Any] = {
        "rocrate_uri": folder, "metadata_only": True, "no_cache": True, "skip_availability_check": True,
        "requirement_severity": models.Severity.RECOMMENDED,
    }  # fmt: skip
    profiles = [one.identifier for one in services.detect_profiles(models.ValidationSettings(**asked))]
    for profile in profiles or [_BASE]:
        result = services.validate(models.ValidationSettings(**asked, profile_identifier=profile))
        for issue in result.get_issues():
            about = str(issue.violatingEntity or "")
            yield {"check": issue.check.identifier, "severity": issue.severity.name,
                   "told": str(issue.message)[:1000], "about": about[:1000]}  # fmt: skip


def main(contexts: str, folder: str) -> int:
    try:
        import requests
        import rocrate_validator  # noqa: F401
    except ImportError:
        return NOT_THERE
    with open(contexts, encoding="utf-8") as file:
        requests.adapters.HTTPAdapter.send = answers(json.load(file))  # type: ignore[method-assign]
    with redirect_stdout(sys.stderr):
        found = [*told(folder)]
    with open("found", "x", encoding="ascii") as file:
        file.writelines(json.dumps(one) + "\n" for one in found)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
