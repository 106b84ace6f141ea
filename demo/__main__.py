"""`make demo`: play the story in a temporary folder, or in DEMO_DIR, where everything then stays to be looked at."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from demo.screen import Screen
from demo.stage import Broken, Stage
from demo.story import STORY

DONE, BROKE, REFUSED, INTERRUPTED = 0, 1, 2, 130


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("--picture", type=Path, metavar="FILE", help="also paint what is seen, as SVG")
    picture = parser.parse_args().picture
    screen = Screen(picture=picture is not None)
    signal.signal(signal.SIGTERM, _interrupted)
    try:
        with _folder() as folder:
            play(folder, screen)
            if picture:
                screen.paint(picture)
    except _Taken as error:
        screen.failed(str(error))
        return REFUSED
    except Broken as error:
        screen.failed(str(error))
        return BROKE
    except KeyboardInterrupt:
        screen.failed("interrupted.")
        return INTERRUPTED
    return DONE


def play(folder: Path, screen: Screen) -> None:
    """Tell the whole story in an empty folder; raise Broken."""
    begun = time.monotonic()
    screen.shorten(str(folder), "~/demo")
    stage = Stage(folder, screen)
    for number, step in enumerate(STORY, start=1):
        screen.framed = step.pictured
        screen.heading(f"{number}  {step.title}")
        screen.say(step.told)
        step.act(stage)
    seconds = time.monotonic() - begun
    screen.closing(f"{len(STORY)} steps, {stage.claims} claims checked, all of them true, in {seconds:.1f} seconds.")
    if "DEMO_DIR" in os.environ:
        screen.closing(f"Look at it: cd {folder} && export TIANYI_REPOSITORY=$PWD/archive")


@contextmanager
def _folder() -> Iterator[Path]:
    """An empty folder: the one that DEMO_DIR names, which stays, or a temporary one, which goes whatever happens."""
    if named := os.environ.get("DEMO_DIR"):
        folder = Path(named).absolute()
        if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
            raise _Taken(f"there is something in {folder} already; name an empty folder, or a new one.")
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
    else:
        with tempfile.TemporaryDirectory(prefix="tianyi-demo-") as made:
            yield Path(made).resolve()


class _Taken(Exception):
    """DEMO_DIR is not empty."""


def _interrupted(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
