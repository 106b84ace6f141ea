"""An audit as the scheduler does it, in a process that is there: `python -m benchmarks.audit REPOSITORY`.

The repository is audited twice, from memory, and the second time counts: what a command needs to start, the scheduler
needed long before.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from repository import Repository


def main(place: str) -> None:
    """Say how many seconds the second audit took, and what it read."""
    with Repository.open(Path(place)) as repository:
        repository.audit(cached=True)
        began = time.monotonic()
        results = repository.audit(cached=True)
        seconds = time.monotonic() - began
    checked = sum(result.checked for result in results)
    intact = sum(result.counts["intact"] for result in results)
    print(json.dumps({"seconds": seconds, "checked": checked, "intact": intact}))


if __name__ == "__main__":
    main(sys.argv[1])
