"""The doctor on policies: what is wrong in the files that officers write, all at once, by file and line."""

from __future__ import annotations

from policies.errors import PolicyError
from repository import in_force
from repository.config import Config
from repository.doctor_check import Check

_COST = "Nothing is taken in, audited or migrated under a policy that has a mistake."


def examine(settings: Config) -> Check:
    try:
        in_force.written(settings)
    except PolicyError as error:
        return Check("policies", False, "error", str(error), _COST, error.next)
    files = sorted(path.name for path in settings.policies.glob("*.yaml") if not path.name.startswith("."))
    return Check("policies", True, "error", ", ".join(files) or "as they ship")
