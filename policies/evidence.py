"""Who is told of the ledger's checkpoints, and who says when they were made (defaults/evidence.yaml)."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from policies.model import Every, Model, Name, Text, like, repeated

_WEB = r"https?://[!-~]+"
_MAILBOX = r"[!-?A-~]{1,64}@[a-z0-9.-]{1,253}"
Url = Annotated[str, like(_WEB, "not a URL: write like https://witness.example.org/add-checkpoint")]
MaybeUrl = Annotated[str, like(rf"({_WEB})?", "not a URL: write like https://tsa.example.org")]
MaybeText = Annotated[str, like(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]{0,1000}", "not one line of text")]
Mailbox = Annotated[str, like(_MAILBOX, "not one mail address: write like registry@example.org")]
Host = Annotated[str, like(r"[A-Za-z0-9.:-]{1,253}", "not a host: write like smtp.example.org")]
Branch = Annotated[str, like(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,99}", "not the name of a branch: write like main")]
Port = Annotated[int, Field(strict=True, gt=0, lt=65536)]
Kind = Literal["file", "mail", "webhook", "git"]
KINDS: tuple[Kind, ...] = ("file", "mail", "webhook", "git")


class Smtp(Model):
    """The server that mail goes out by; who logs in is told by TIANYI_SMTP_USER and TIANYI_SMTP_PASSWORD."""

    host: Host = Field(description="The server's name.")
    port: Port = Field(default=25, description="587 for most that want a login, 465 with `tls`.")
    security: Literal["none", "starttls", "tls"] = Field(default="starttls", description="How it is spoken to.")
    sender: Mailbox = Field(description="The address that mail is from.")


class Witness(Model):
    """Somebody outside who is given checkpoints, in one of four ways."""

    name: Name = Field(description="What the ledger calls it. Another name is another witness.")
    file: Text | None = Field(default=None, description="A folder: checkpoint-<size>.txt is added for each.")
    mail: Mailbox | None = Field(default=None, description="An address that gets each as a message.")
    webhook: Url | None = Field(default=None, description="A URL to which each is posted, as C2SP tlog-witness says.")
    git: Text | None = Field(default=None, description="A repository, a path or URL, to which each is pushed.")
    branch: Branch = Field(default="main", description="Of the git repository.")
    smtp: Smtp | None = Field(default=None, description="By which server mail goes out.")

    @property
    def kind(self) -> Kind:
        return next(kind for kind in KINDS if getattr(self, kind) is not None)

    @property
    def target(self) -> str:
        return str(getattr(self, self.kind))

    @model_validator(mode="after")
    def _one_way(self) -> Witness:
        if sum(getattr(self, kind) is not None for kind in KINDS) != 1:
            raise ValueError("a witness has one of file, mail, webhook and git")
        if (self.mail is None) != (self.smtp is None):
            raise ValueError("mail and smtp go together")
        return self

    @field_validator("git")
    @classmethod
    def _no_option(cls, git: str | None) -> str | None:
        if git is not None and (git.startswith("-") or "::" in git):
            raise ValueError("not a path or URL of a repository")
        return git


class TimeStamps(Model):
    """Time stamps (RFC 3161) of checkpoints."""

    tsa: MaybeUrl = Field(description='The URL of a time-stamping authority; "" asks none.')
    every: Every = Field(description="A new one after so long, where the ledger has grown.")
    ca: MaybeText = Field(
        description="A file with the roots (PEM) that its certificates lead to; a relative path begins in the "
        "repository's folder. Tokens that do not lead there are not kept."
    )
    renew: Every = Field(description="A new one so long before the certificate of the newest ends.")


class EvidencePolicy(Model):
    witnesses: tuple[Witness, ...] = Field(description="Who is given checkpoints, each in its way.")
    time_stamps: TimeStamps = Field(description="Who says when checkpoints were there.")

    @field_validator("witnesses")
    @classmethod
    def _each_once(cls, witnesses: tuple[Witness, ...]) -> tuple[Witness, ...]:
        if names := repeated(one.name for one in witnesses):
            raise ValueError(f"two witnesses have the name {names[0]}")
        return witnesses


NOBODY = EvidencePolicy(
    witnesses=(), time_stamps=TimeStamps(tsa="", every=timedelta(days=1), ca="", renew=timedelta(days=90))
)
