"""Checksums that are right again after a change: a liar who knows the format gets further than bit rot does."""

from __future__ import annotations

import json
import struct
import zlib
from hashlib import sha256

_BLOCK = 512


def mended_tar(data: bytes) -> bytes:
    """Each header's sum over its bytes (POSIX pax, "ustar Interchange Format", chksum)."""
    blocks = [data[start : start + _BLOCK] for start in range(0, len(data), _BLOCK)]
    return b"".join(
        _summed(block) if block[257:262] == b"ustar" and len(block) == _BLOCK else block for block in blocks
    )


def _summed(block: bytes) -> bytes:
    total = sum(block[:148]) + sum(block[156:]) + 8 * ord(" ")
    return block[:148] + b"%06o\0 " % total + block[156:]


def mended_7z(data: bytes) -> bytes:
    """The CRCs of the header at the end and of the one at the start (7zFormat.txt, "SignatureHeader")."""
    if len(data) < 32:
        return data
    offset, size = struct.unpack_from("<QQ", data, 12)
    header = data[32 + offset :][:size] if offset < len(data) and size < len(data) else b""
    start = data[12:28] + struct.pack("<I", zlib.crc32(header))
    return data[:8] + struct.pack("<I", zlib.crc32(start)) + start + data[32:]


def mended_json(data: bytes) -> bytes:
    """Canonical JSON (RFC 8785), with the digest over its other members where it has one; line by line."""
    return b"\n".join(map(_canonical, data.split(b"\n")))


def _canonical(line: bytes) -> bytes:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return line
    if isinstance(value, dict) and "digest" in value:
        others = {name: one for name, one in value.items() if name != "digest"}
        value["digest"] = f"sha256:{sha256(_dumped(others)).hexdigest()}"
    return _dumped(value)


def _dumped(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode("utf-8", "surrogatepass")
