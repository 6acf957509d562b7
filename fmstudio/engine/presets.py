"""Settings under a name: which networks, at which size, with how large a basis."""

from dataclasses import dataclass

from fmstudio.engine.requests import MatchSettings
from fmstudio.features import weights


@dataclass(frozen=True, slots=True)
class Preset:
    """Settings that belong together.

    Attributes
    ----------
    name : str
    summary : str
        What it is for, a sentence.
    settings : MatchSettings
    """

    name: str
    summary: str
    settings: MatchSettings

    @property
    def models(self) -> tuple[str, ...]:
        """Return the short names of the networks that it uses, each once."""
        names = (self.settings.basis_extractor, *self.settings.descriptor_extractors)
        return tuple(dict.fromkeys(name.partition(":")[0] for name in names))

    def licences(self) -> tuple[str, ...]:
        """Return the licences of its networks' weights, in the order of `models`, each once."""
        return tuple(dict.fromkeys(weights.licence_of(name) for name in self.models))

    def licence_line(self) -> str:
        """Return each network with its licence, for a person."""
        return ", ".join(f"{name}: {weights.licence_of(name)}" for name in self.models)

    def downloads(self) -> dict[str, int]:
        """Return the networks that have to be fetched first, with the bytes of each.

        Nothing for those that are on this disk or come with the packages.
        """
        listed = {model.name: model for model in weights.available()}
        return {
            name: listed[name].size
            for name in self.models
            if name in weights.HUB and listed[name].on_disk is None
        }


# The paper gives DINOv2 images whose long side is 840 pixels, 60 of its patches of 14. The unit
# of `MatchSettings.long_side` is a sixteenth of a patch, whatever the network: 60 * 16.
_PAPER_SIDE = 840 // 14 * 16
_DINO = "dinov2-b:layers=11"

PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset(
            "embedded",
            "What fmstudio does unless told otherwise: nothing to download, quick on a CPU.",
            MatchSettings(),
        ),
        Preset(
            "dinov2-b",
            "DINOv2 alone, for the graph and for the descriptors.",
            MatchSettings(basis_extractor=_DINO, descriptor_extractors=(_DINO,)),
        ),
        # arXiv:2403.12038, which reduces the blocks of Stable Diffusion, and these only, to 256
        # principal axes of a pair; `pca_width` reduces all blocks, and is left to the person.
        Preset(
            "sd-dino",
            "The paper's networks: basis from DINOv2, descriptors from Stable Diffusion 1.5 and "
            "DINOv2; meant for a GPU.",
            MatchSettings(
                basis_extractor=_DINO,
                descriptor_extractors=("sd15:blocks=1+2:t=100", _DINO),
                long_side=_PAPER_SIDE,
                k=200,
            ),
        ),
        Preset(
            "dinov3-b",
            "DINOv3 alone, for the graph and for the descriptors.",
            MatchSettings(basis_extractor="dinov3-b", descriptor_extractors=("dinov3-b",)),
        ),
    )
}


def preset_of(name: str) -> Preset:
    """Return the preset of a name.

    Raises
    ------
    ValueError
        If there is none.
    """
    if name not in PRESETS:
        raise ValueError(f'there is no preset "{name}"; the known ones are {", ".join(PRESETS)}')
    return PRESETS[name]
