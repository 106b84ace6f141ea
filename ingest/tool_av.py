"""Sound and film by PyAV, which is FFmpeg: every packet is read, every frame of picture and sound decoded."""

from __future__ import annotations

import os
import re
from collections import Counter
from typing import Any

import av
import av.logging

Looked = tuple[list[str], dict[str, str], str]
UNKNOWN = re.compile(r"unsupported|not supported|not implemented|no decoder", re.IGNORECASE)
LONGEST = 500  # lines of FFmpeg's log that are kept


class Unknown(Exception):
    """There is something in it that FFmpeg does not read."""


UNCHECKED = (Unknown,)


def version() -> str:
    return f"{av.__version__} (FFmpeg {av.ffmpeg_version_info})"


def look(path: str) -> Looked:
    """What is wrong with it: what FFmpeg logs as an error, what cannot be decoded, what breaks off."""
    av.logging.set_level(av.logging.ERROR)
    with av.logging.Capture() as logs:
        problems, told, silent = decoded(path)
    said = [f"{who}: {what.strip()}" for level, who, what in logs if level <= av.logging.ERROR]
    unknown = silent + [line for line in said if UNKNOWN.search(line)]
    problems = list(dict.fromkeys([*riff(path), *problems, *said]))
    if unknown and not set(problems) - set(unknown):
        raise Unknown(f"FFmpeg does not read all of it: {unknown[0]}")
    return problems, told, "\n".join(said[:LONGEST])


def decoded(path: str) -> tuple[list[str], dict[str, str], list[str]]:
    """What went wrong, the properties, and the streams that nothing decodes."""
    problems: list[str] = []
    frames: Counter[int] = Counter()
    try:
        with av.open(path) as container:
            readable = [stream for stream in container.streams if stream.type in ("audio", "video")]
            silent = [f"no decoder for stream {one.index}" for one in readable if one.codec_context is None]
            ready = [stream for stream in readable if stream.codec_context is not None]
            for stream in ready:
                stream.codec_context.thread_count = 1
                stream.codec_context.options = {"err_detect": "crccheck+bitstream+buffer"}
            for packet in container.demux(ready):
                try:
                    frames[packet.stream.index] += len(packet.decode())
                except av.error.FFmpegError as error:
                    problems.append(f"stream {packet.stream.index}: {error.strerror}")
            told = properties(container, readable, frames)
            problems += [
                f"stream {one.index} has nothing that can be decoded" for one in ready if not frames[one.index]
            ]
            return problems, told, silent
    except av.error.FFmpegError as error:
        return [*problems, str(error.strerror)], {}, []


def properties(container: Any, streams: list[Any], frames: Counter[int]) -> dict[str, str]:
    told = {"container": container.format.name}
    if container.duration:
        told["duration (s)"] = f"{container.duration / av.time_base:.3f}"
    for number, stream in enumerate(streams, start=1):
        if context := stream.codec_context:
            told[f"stream {number}"] = (
                f"{stream.type}, {', '.join(traits(stream, context))}, {frames[stream.index]} frames"
            )
    return told


def traits(stream: Any, context: Any) -> list[str]:
    if stream.type == "video":
        rate = f"{float(stream.average_rate):g} frames a second" if stream.average_rate else "no frame rate"
        return [context.codec.name, f"{context.width} × {context.height}", str(context.pix_fmt), rate]
    return [context.codec.name, f"{context.sample_rate} Hz", str(context.layout.name), str(context.format.name)]


def riff(path: str) -> list[str]:
    """What a RIFF file (WAVE, AVI) claims of its size, which FFmpeg does not mind; 0 and the largest claim nothing."""
    with open(path, "rb") as file:
        head = file.read(8)
        size = file.seek(0, os.SEEK_END)
    claimed = int.from_bytes(head[4:], "little")
    if head[:4] != b"RIFF" or claimed in (0, 0xFFFFFFFF) or claimed + 8 <= size:
        return []
    return [f"RIFF: it claims {claimed + 8} bytes and has {size}"]
