"""The child that format tools run in: `tool_child.py TOOL SECONDS…`, one number of seconds for each file.

It works in the folder that it was started in, where the files are called `0`, `1`, …. It loads the tool once and forks
for each file, so that a file can spoil no answer but its own, and loading is paid for once: a fork opens the file that
its answer goes to, then gives up writing anywhere else (Landlock), before it looks. What a fork has to say is in
`answer-N`; how it ended is a line of `ended`. Standard library only; `landlock` and the tools, `tool_…`, lie beside
this.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import signal
import sys
from pathlib import Path
from types import ModuleType

MANY, LONG, RAW = 100, 2_000, 65_536  # lines and characters that are kept of an answer
NO_TOOL = 3  # exit: its library is not installed
_DIE_WITH_PARENT = 1  # prctl(2)


def answer(tool: ModuleType, landlock: ModuleType, number: int, seconds: float) -> None:
    """Say what the tool says of one file; the system ends this process when its time is over."""
    ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL.value, 0, 0, 0)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    os.dup2(os.open(f"errors-{number}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 2)
    with open(f"answer-{number}", "w", encoding="utf-8", errors="backslashreplace") as said:
        landlock.confine([])
        json.dump(_told(tool, number), said)


def _told(tool: ModuleType, number: int) -> dict[str, object]:
    try:
        empty = os.stat(str(number)).st_size == 0
        problems, properties, raw = (["it is empty"], {}, "") if empty else tool.look(str(number))
        known = {str(name)[:LONG]: str(value)[:LONG] for name, value in list(properties.items())[:MANY]}
        return {"problems": [one[:LONG] for one in problems[:MANY]], "properties": known, "raw": raw[:RAW]}
    except tool.UNCHECKED as error:
        return {"unchecked": str(error) or type(error).__name__}
    except MemoryError:
        return {"unchecked": "it needs more memory than it may have"}


def main(arguments: list[str]) -> int:
    """Load the tool, ask it of each file; return the exit code."""
    sys.path.insert(0, str(Path(__file__).parent))
    landlock = importlib.import_module("landlock")  # ours, whatever library is called so
    sys.path.append(sys.path.pop(0))  # at the end: nothing of ours hides a library
    try:
        tool = importlib.import_module(f"tool_{arguments[0]}")
    except ImportError as error:
        sys.stderr.write(f"{error}\n")
        return NO_TOOL
    Path("version").write_text(tool.version(), encoding="utf-8")
    with open("ended", "w", encoding="ascii", buffering=1) as ended:
        for number, seconds in enumerate(map(float, arguments[1:])):
            if (process := os.fork()) == 0:
                ended.close()
                answer(tool, landlock, number, seconds)
                os._exit(0)
            ended.write(f"{os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
