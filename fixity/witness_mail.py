"""A witness that gets mail: whoever keeps it has each checkpoint, and when it came."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from smtplib import SMTP, SMTP_SSL, SMTPException

from fixity.witness import NotGiven, Parcel
from policies.evidence import Smtp

SECONDS = 60.0
USER, PASSWORD = "TIANYI_SMTP_USER", "TIANYI_SMTP_PASSWORD"
_TEXT = """\
Please keep this message. Below is the newest checkpoint of the ledger of {origin}: with it,
anybody can show later that the first {size} entries were not changed since.
The page "Publish checkpoints" of Tianyi's documents tells how.

"""


@dataclass(frozen=True, slots=True)
class MailWitness:
    """An address, and the server that mail goes out by; `secrets` may have a user and a password for it."""

    address: str
    smtp: Smtp
    secrets: Mapping[str, str]

    def newest(self) -> str | None:
        return None

    def give(self, parcel: Parcel) -> str:
        try:
            with _server(self.smtp) as server:
                if self.secrets.get(USER):
                    server.login(self.secrets[USER], self.secrets.get(PASSWORD, ""))
                server.send_message(message(parcel, self.smtp.sender, self.address))
        except (OSError, SMTPException) as error:
            raise NotGiven(f"mail does not go out: {error}") from error
        return ""


def message(parcel: Parcel, sender: str, to: str) -> EmailMessage:
    """The checkpoint as a message, and beside it as a file, byte for byte."""
    origin = parcel.checkpoint.partition("\n")[0]
    made = EmailMessage()
    made["From"], made["To"] = sender, to
    made["Subject"] = f"Checkpoint over {parcel.size} entries: {origin}"
    made.set_content(_TEXT.format(origin=origin, size=parcel.size) + parcel.checkpoint)
    made.add_attachment(
        parcel.checkpoint.encode(), "text", "plain", filename=parcel.name, params={"charset": "utf-8"}
    )  # fmt: skip
    return made


def _server(smtp: Smtp) -> SMTP:
    context = ssl.create_default_context()
    if smtp.security == "tls":
        return SMTP_SSL(smtp.host, smtp.port, timeout=SECONDS, context=context)
    server = SMTP(smtp.host, smtp.port, timeout=SECONDS)
    if smtp.security == "starttls":
        server.starttls(context=context)
    return server
