"""The door of conversion: what migration asks of a pathway, carried out over the sample accession's old pictures."""

import os
import re
from pathlib import Path

import pytest
from PIL import Image

from ingest.convert import PATHWAYS, ConversionFailed, Pathway
from ingest.engine import fido_identifier
from ingest.identify_pronom import PronomIdentifier
from ingest.sample import sample_of

PICTURES = Path(__file__).parents[2] / "samples" / "accession" / "Pictures"
OLD = sorted(path for kind in ("BMP", "GIF", "PCX", "TGA", "WebP") for path in (PICTURES / kind).glob("*.*"))


@pytest.fixture(scope="module")
def identifier() -> PronomIdentifier:
    return fido_identifier()


def test_pathways_are_found_by_the_name_of_their_target() -> None:
    assert {name: (way.name, way.suffix) for name, way in PATHWAYS.items()} == {
        "tiff": ("tiff", ".tif"),
        "png": ("png", ".png"),
    }


@pytest.mark.parametrize("way", PATHWAYS.values(), ids=list(PATHWAYS))
def test_a_pathway_takes_old_pictures_and_nothing_else(way: Pathway) -> None:
    assert way.accepts("fmt/116")
    assert not way.accepts("fmt/40")  # Word
    assert not any(way.accepts(puid) for puid in way.puids)
    assert all(re.fullmatch(r"fmt/\d+", puid) for puid in way.puids)


@pytest.mark.skipif(not OLD, reason="the sample accession has not been made")
@pytest.mark.parametrize("source", OLD, ids=[f"{path.parent.name}: {path.name}" for path in OLD])
def test_the_sample_pictures_go_through(source: Path, identifier: PronomIdentifier, tmp_path: Path) -> None:
    way = PATHWAYS["tiff"]
    found = identifier.identify(sample_of(os.fsencode(source))).puids
    target, scratch = tmp_path / f"new{way.suffix}", tmp_path / "scratch"
    scratch.mkdir()
    assert any(way.accepts(puid) for puid in found)
    made = way.convert(source, target, scratch)
    assert way.puids.issuperset(identifier.identify(sample_of(os.fsencode(target))).puids)
    proof = way.compare(source, target, scratch)
    assert (proof.equal, proof.why, proof.frames) == (True, "", made.frames)
    assert list(scratch.iterdir()) == []


def test_png_is_known_for_what_it_is(identifier: PronomIdentifier, tmp_path: Path) -> None:
    way = PATHWAYS["png"]
    for number, profile in enumerate((None, b"profile")):
        source, target = tmp_path / f"{number}.webp", tmp_path / f"{number}.png"
        Image.new("RGBA", (5, 4), "red").save(source, lossless=True, icc_profile=profile)
        way.convert(source, target, tmp_path)
        assert way.puids.issuperset(identifier.identify(sample_of(os.fsencode(target))).puids)
        assert way.compare(source, target, tmp_path).equal


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("Sir,\n")
    with pytest.raises(ConversionFailed, match="letter could not be converted to png: cannot identify image file"):
        PATHWAYS["png"].convert(tmp_path / "letter", tmp_path / "letter.png", tmp_path)
