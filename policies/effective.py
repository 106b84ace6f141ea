"""The effective policy: all documents as one value, named by the digest of its canonical text."""

from __future__ import annotations

import hashlib
import json
from functools import cached_property

from pydantic import Field

from policies.alerts import AlertsPolicy
from policies.audit import AuditPolicy
from policies.copies import CopiesPolicy
from policies.evidence import NOBODY, EvidencePolicy
from policies.formats import FormatsPolicy
from policies.ingest import IngestPolicy
from policies.migration import MigrationPolicy
from policies.model import Model
from policies.repair import RepairPolicy
from policies.retention import RetentionPolicy
from policies.tools import ToolsPolicy


class Policies(Model):
    """What is in force. Decisions name it by `digest`, under which `to_bytes()` can be kept as a blob.

    `evidence` is not in that: it decides nothing of what is held, and its addresses are nobody's but the archive's.
    """

    ingest: IngestPolicy
    formats: FormatsPolicy
    migration: MigrationPolicy
    audit: AuditPolicy
    copies: CopiesPolicy
    repair: RepairPolicy
    retention: RetentionPolicy
    tools: ToolsPolicy
    alerts: AlertsPolicy
    evidence: EvidencePolicy = Field(default=NOBODY, exclude=True)

    def to_bytes(self) -> bytes:
        """Canonical JSON (RFC 8785: sorted ASCII keys, no blanks, no floats), UTF-8; `model_validate_json` reads it."""
        text = json.dumps(self.model_dump(mode="json"), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return text.encode("utf-8")

    @cached_property
    def digest(self) -> str:
        """`sha256:<hexadecimal>` of `to_bytes()`."""
        return f"sha256:{hashlib.sha256(self.to_bytes()).hexdigest()}"
