"""Settings under a name."""

from pathlib import Path

import huggingface_hub.constants
import pytest

from fmstudio.engine.presets import PRESETS, preset_of
from fmstudio.engine.requests import MatchSettings
from fmstudio.errors import WeightsError
from fmstudio.features import weights
from fmstudio.features.registry import make_extractor
from fmstudio.geometry.grid import ImageSize, PatchGrid


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))


def test_the_embedded_preset_is_the_default_and_needs_nothing() -> None:
    embedded = preset_of("embedded")
    assert embedded.settings == MatchSettings()
    assert embedded.downloads() == {}
    assert embedded.licences() == ("Apache-2.0",)


def test_the_papers_preset_sees_sixty_patches_and_needs_both_networks() -> None:
    paper = preset_of("sd-dino")
    grid = PatchGrid.of_long_side(ImageSize(840, 630), paper.settings.long_side // 16)
    assert (grid.cols, grid.rows) == (60, 45)
    assert paper.models == ("dinov2-b", "sd15")
    assert paper.downloads() == {name: weights.HUB[name].size for name in ("dinov2-b", "sd15")}
    assert "sd15: CreativeML OpenRAIL-M" in paper.licence_line()


@pytest.mark.parametrize("name", [name for name in PRESETS if name != "embedded"])
def test_the_other_presets_name_extractors_that_only_lack_their_weights(name: str) -> None:
    settings = preset_of(name).settings
    for extractor in (settings.basis_extractor, *settings.descriptor_extractors):
        with pytest.raises(WeightsError, match="fmstudio models fetch"):
            make_extractor(extractor)


def test_an_unknown_preset_is_explained() -> None:
    with pytest.raises(ValueError, match="the known ones are embedded, dinov2-b"):
        preset_of("best")
