"""How long files take, from some that were timed."""

from __future__ import annotations

from dataclasses import dataclass

SMALL = 1 << 20  # bytes: files below it take about the same time each


@dataclass(slots=True)
class Pace:
    """How long files take: small ones each the same, larger ones by their bytes besides."""

    small: int = 0
    small_seconds: float = 0.0
    large: int = 0
    large_seconds: float = 0.0
    large_bytes: int = 0

    def saw(self, read: int, seconds: float) -> None:
        """A file took so long, of which so many bytes were read."""
        if read < SMALL:
            self.small, self.small_seconds = self.small + 1, self.small_seconds + seconds
        else:
            self.large, self.large_seconds = self.large + 1, self.large_seconds + seconds
            self.large_bytes += read

    def expected(self, files: int, large_bytes: int) -> float | None:
        """Seconds for so many files, those from SMALL on with so many bytes together; None where it is not known."""
        if (files and not self.small + self.large) or (large_bytes and not self.large_bytes):
            return None
        each = self.small_seconds / self.small if self.small else 0.0
        rate = max(0.0, self.large_seconds - self.large * each) / self.large_bytes if self.large_bytes else 0.0
        return files * each + large_bytes * rate
