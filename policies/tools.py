"""Format tools that an institution declares: outside commands, and the formats of each (defaults/tools.yaml)."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, field_validator, model_validator

from policies.model import Bytes, Count, Model, Name, Puid, Text, repeated

FILE = "{file}"
_RESERVED = frozenset({"pdf", "pictures", "av", "xml", "json", "zip", "ole"})  # what comes with Tianyi is called so


def _below(code: int) -> int:
    if not 0 <= code <= 125:
        raise ValueError("not an exit code of a tool's own: 0 to 125")  # a shell's words for what did not run follow
    return code


Exit = Annotated[int, Field(strict=True), AfterValidator(_below)]


class Tool(Model):
    """A command that is run on one file at a time, without a shell, without a network, in scratch space."""

    name: Name = Field(description="What PREMIS calls it.")
    puids: tuple[Puid, ...] = Field(min_length=1, description="PRONOM identifiers that it speaks for.")
    command: tuple[Text, ...] = Field(min_length=2, description="The program and its arguments; {file} is the file.")
    version: tuple[Text, ...] = Field(default=(), description="The command that prints its version on its first line.")
    well_formed: tuple[Exit, ...] = Field(default=(0,), description="Exit codes that mean so.")
    malformed: tuple[Exit, ...] = Field(default=(), description="Exit codes that mean so; all others: not checked.")
    seconds: Count = Field(default=300, description="How long it may take for one file.")
    memory: Bytes = Field(default=4 << 30, description="Of address space: programs in Java need several GiB.")

    @field_validator("name")
    @classmethod
    def _not_ours(cls, name: str) -> str:
        if name in _RESERVED:
            raise ValueError("a tool that comes with Tianyi is called so: choose another name")
        return name

    @field_validator("command")
    @classmethod
    def _with_a_file(cls, command: tuple[str, ...]) -> tuple[str, ...]:
        if not any(FILE in part for part in command[1:]):
            raise ValueError("no argument has {file} in it: the tool would not know what to look at")
        return command

    @model_validator(mode="after")
    def _one_meaning(self) -> Tool:
        if both := sorted(set(self.well_formed) & set(self.malformed)):
            raise ValueError(f"exit code {both[0]} cannot mean both well_formed and malformed")
        return self


class ToolsPolicy(Model):
    tools: tuple[Tool, ...] = Field(description="Besides those that come with Tianyi; each is asked of its formats.")

    @field_validator("tools")
    @classmethod
    def _each_once(cls, tools: tuple[Tool, ...]) -> tuple[Tool, ...]:
        if names := repeated(tool.name for tool in tools):
            raise ValueError(f"two tools have the name {names[0]}")
        return tools
