"""The eark-validator tool: `python -I eark_child.py VOCABULARIES.json PART`, in the bounded child; JSON Lines.

The folder `package` holds METS.xml, and empty folders and files where the validator looks for some. VOCABULARIES.json
maps the names of files to where they lie: all that the validator would download is answered from there. PART is one of
PARTS; one that crashes leaves the others. Each line of the file `PART.jsonl` is {"rule": code, "severity": Error or
Warn, "told": sentence, "where": element or place, "by": the validator's release, "version": that of the
specifications}. Exit 3: this Python has no eark-validator. Exit 4: it must not be asked; the last line of stderr says
why.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib import import_module, metadata
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

NOT_THERE, REFUSED = 3, 4
PACKAGE = Path("package")
METS = PACKAGE / "METS.xml"
_STEP = re.compile(r"\*\[local-name\(\)='([^']*)' and namespace-uri\(\)='[^']*'\](\[\d+\])?")


def answers(vocabularies: Mapping[str, str]) -> Callable[[str], BinaryIO]:
    """What stands in the place of the network, for urllib."""

    def urlopen(address: str) -> BinaryIO:
        name = address.rpartition("/")[2]
        if name not in vocabularies:
            _refuse(f"{name} is not in the folder of standards")
        return open(vocabularies[name], "rb")

    return urlopen


def structure() -> Iterator[Any]:
    from eark_validator import structure as folders

    yield from folders.validate(PACKAGE)[1].messages


def schema() -> Iterator[Any]:
    from eark_validator.mets import MetsValidator

    _guard()
    validator = MetsValidator(str(PACKAGE))
    validator.validate_mets(METS.name)
    yield from validator.validation_errors


def rules() -> Iterator[Any]:
    """By CSIP, then by what the package says that it is."""
    from eark_validator.infopacks.information_package import InformationPackages
    from eark_validator.rules import ValidationProfile
    from eark_validator.specifications.specification import SpecificationType

    _guard()
    yield from _by(ValidationProfile(SpecificationType.CSIP, _newest()))
    kind = InformationPackages.details_from_mets_file(METS).oaispackagetype
    if kind in ("SIP", "DIP"):
        yield from _by(ValidationProfile(SpecificationType.from_string(kind), _newest()))


PARTS: Mapping[str, Callable[[], Iterator[Any]]] = {"structure": structure, "schema": schema, "rules": rules}


def _by(profile: Any) -> Iterator[Any]:
    profile.validate(METS)
    yield from profile.get_all_results()


def _newest() -> Any:
    from eark_validator.specifications.specification import SpecificationVersion

    return list(SpecificationVersion)[-1]


def _guard() -> None:
    """The validator's own parsers would read every file that an entity names."""
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True)
    if etree.parse(str(METS), parser).docinfo.internalDTD is not None:
        _refuse("METS.xml has a document type declaration, in which harm can hide")


def _refuse(why: str) -> NoReturn:
    sys.stderr.write(f"\n{why}\n")
    sys.exit(REFUSED)


def _where(location: str) -> str:
    """The path of an element, without the rule's own expressions that are before it."""
    steps = [name + place for name, place in _STEP.findall(location)]
    return "/".join(steps) if steps else location


def _told(results: Iterable[Any]) -> Iterator[dict[str, str]]:
    """What is broken; that an optional thing is there is not worth telling."""
    by, version = metadata.version("eark-validator"), str(_newest()).lstrip("V")
    for one in results:
        if one.severity.value in ("Error", "Warn"):
            told = " ".join(str(one.message).split())[:1000]
            yield {"rule": str(one.rule_id), "severity": one.severity.value, "told": told,
                   "where": _where(str(one.location))[:1000], "by": by, "version": version}  # fmt: skip


def main(vocabularies: str, part: str) -> int:
    import urllib.request

    try:
        import_module("eark_validator")
    except ImportError:
        return NOT_THERE
    with open(vocabularies, encoding="utf-8") as file:
        # The validator calls it with an address alone; ours takes nothing else, which mypy rightly minds.
        urllib.request.urlopen = answers(json.load(file))  # type: ignore[assignment]
    with open(f"{part}.jsonl", "x", encoding="ascii", buffering=1) as found:  # a crash leaves what was found before
        found.writelines(json.dumps(one) + "\n" for one in _told(PARTS[part]()))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
