"""Features of Stable Diffusion: what the decoder of its denoising network makes of a noisy image.

Rombach et al. 2022, "High-Resolution Image Synthesis with Latent Diffusion Models",
arXiv:2112.10752; as features for correspondence: Tang et al. 2023, "Emergent Correspondence from
Image Diffusion", arXiv:2306.03881, and Zhang et al. 2023, "A Tale of Two Features",
arXiv:2305.15347.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from fmstudio.errors import WeightsError
from fmstudio.features import weights as weights_files
from fmstudio.features.base import ExtractorSpec, FeatureMap
from fmstudio.features.diffusion_config import check_config, check_size
from fmstudio.features.diffusion_tiles import Window, blend, windows_of
from fmstudio.features.fusion import normalise_block
from fmstudio.features.preprocess import CellAxis, SideRule, check_rgb, resample, to_input
from fmstudio.features.tensors import check_tensors, header_bytes
from fmstudio.geometry.grid import ImageSize, PatchGrid

# Raise when the same weights would give other features.
CODE_VERSION = 1

# Pixels of input per patch of the grid: one cell of up-block 1 in Stable Diffusion 1.
PATCH = 16

# Largest side of what the networks see at once, in cells of the latent: 768 pixels. Memory grows
# with the square of it; they were trained at 64.
WINDOW = 96

# From [0, 255] to [-1, 1], as the autoencoder was trained.
MEAN = STD = (127.5, 127.5, 127.5)

# The noise schedule of Stable Diffusion 1: its square root goes up linearly.
STEPS = 1000
BETAS = (0.00085, 0.012)


@dataclass(frozen=True, slots=True)
class DiffusionOptions:
    """Which features of the denoising network are taken, and of which noise.

    Attributes
    ----------
    blocks : tuple of int
        Up-blocks of the network, counted from 0, ascending; each is one feature block.
    t : int
        Step of the noise schedule in [0, `STEPS`): how noisy the image is.
    ensemble : int
        Over how many noises the features are averaged, at least 1.
    seed : int
        Of the noise, at least 0.
    """

    blocks: tuple[int, ...] = (1, 2)
    t: int = 100
    ensemble: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.blocks or min(self.blocks) < 0 or self.blocks != tuple(sorted({*self.blocks})):
            raise ValueError("blocks are whole numbers from 0, ascending and each once")
        if not 0 <= self.t < STEPS:
            raise ValueError(f"t is in [0, {STEPS}), not {self.t}")
        if self.ensemble < 1 or self.seed < 0:
            raise ValueError("ensemble is at least 1, and seed at least 0")


class Diffusion:
    """Features of a latent diffusion model at some of its decoder's blocks.

    The image is encoded, mixed with noise that depends on the seed alone, and denoised for one
    step under the empty prompt, up to the last block that is wanted: what comes after it is not
    kept. In half precision on a CUDA device, else in single precision.

    Parameters
    ----------
    name : str
        Registry name.
    options : DiffusionOptions
    device : torch.device or str
        Where it runs, and where its feature maps stay.
    weights : Path or None
        A local folder in diffusers' layout, ``unet``, ``vae`` and ``text_encoder``, each with
        ``config.json`` and its safetensors file; None takes the local hub cache's.
    window : int
        Largest side that the networks see at once, in cells of the latent.

    Raises
    ------
    WeightsError
        If the weights are missing, damaged or do not fit.
    ValueError
        If a block does not exist, or ``window`` is not a multiple of the network's factor that
        leaves room for an overlap.
    """

    def __init__(
        self,
        name: str,
        options: DiffusionOptions,
        *,
        device: torch.device | str = "cpu",
        weights: Path | None = None,
        window: int = WINDOW,
    ) -> None:
        folder = weights_files.find(name, weights)
        digest = weights_files.verify(name, folder)
        self._device = torch.device(device)
        self._dtype = torch.float16 if self._device.type == "cuda" else torch.float32
        unet, vae = (_load(folder, part, self._dtype) for part in ("unet", "vae"))
        self._width = _width(unet, options.blocks)
        # Strides: of the latent in pixels, and of the coarsest block in cells of the latent.
        self._stride = 2 ** (len(vae.config.block_out_channels) - 1)
        self._factor = 2 ** (len(unet.config.block_out_channels) - 1)
        if window % self._factor or window < 2 * self._factor:
            raise ValueError(f"a window is a multiple of {self._factor} cells, two of it at least")
        self._window = window
        self._options = options
        self._scale = float(vae.config.scaling_factor)
        vae.decoder = nn.Identity()
        self._vae = vae.to(self._device)
        self._decoder = _Taps(unet, options.blocks).to(self._device)
        self._prompt = empty_prompt(folder).to(self._device, self._dtype)
        blocks = "+".join(str(i) for i in options.blocks)
        self._spec = ExtractorSpec(
            name=name,
            key=(
                f"diffusion:{digest[:12]}:{blocks}:t{options.t}:n{options.ensemble}"
                f":s{options.seed}:w{window}:{_letter(self._dtype)}:v{CODE_VERSION}"
            ),
            licence=weights_files.licence_of(name, weights),
            width=sum(self._width),
            blocks=tuple(self._width),
        )

    @property
    def spec(self) -> ExtractorSpec:
        """Return what it is."""
        return self._spec

    @property
    def widths(self) -> tuple[int, ...]:
        """Return the channels of each feature block, as `fusion.pca_levels` wants them."""
        return self._width

    def input_size(self, grid: PatchGrid) -> ImageSize:
        """Return the size nearest to `PATCH` pixels a patch that the networks halve evenly."""
        multiple = self._stride * self._factor
        sides = SideRule(multiple, 0, multiple)
        return ImageSize(sides.nearest(grid.cols * PATCH), sides.nearest(grid.rows * PATCH))

    def extract(self, rgb: NDArray[np.uint8], grid: PatchGrid) -> FeatureMap:
        """Return the features of ``rgb`` (H, W, 3) at the centres of ``grid``'s patches.

        Every block is L2-normalised over its channels, brought to the grid by the pixel-centre
        rule, normalised again and concatenated.

        Raises
        ------
        ValueError
            If ``rgb`` is not the (H, W, 3) uint8 array that the grid describes.
        """
        check_rgb(rgb, grid)
        with torch.inference_mode():
            x = to_input(rgb, self.input_size(grid), MEAN, STD, self._device).to(self._dtype)
            rows, cols = (side // self._stride for side in x.shape[2:])
            noises = self._noises(rows, cols)
            windows = windows_of(rows, cols, self._window, self._factor)
            seen = [self._blocks(x, window, noises) for window in windows]
            whole = [blend(windows, pieces, rows, cols) for pieces in zip(*seen, strict=True)]
            data = torch.cat([_to_grid(block, grid) for block in whole], dim=-1)
        # Copied outside inference mode: such tensors cannot enter a refinement's gradients.
        return FeatureMap(data.clone(), grid, self._spec.key)

    def _noises(self, rows: int, cols: int) -> torch.Tensor:
        """Return the noises of a whole image (ensemble, channels, rows, cols)."""
        # Drawn on the CPU, since devices draw differently, and before the image is cut into
        # windows, so that these agree where they overlap.
        generator = torch.Generator().manual_seed(self._options.seed)
        shape = (self._options.ensemble, self._vae.config.latent_channels, rows, cols)
        return torch.randn(shape, generator=generator)

    def _blocks(
        self, x: torch.Tensor, window: Window, noises: torch.Tensor
    ) -> tuple[torch.Tensor, ...]:
        """Return the feature blocks (d, h, w) float32 of one window, averaged over the noises."""
        pixels = x[..., window.in_pixels(self._stride)[0], window.in_pixels(self._stride)[1]]
        # The mode of the encoder's distribution: a sample of it would be a second noise.
        latent = self._vae.encode(pixels).latent_dist.mode() * self._scale
        keep = signal_share(self._options.t)
        sums: list[torch.Tensor] = []
        # One at a time, so that an ensemble needs no more memory than one noise.
        for noise in noises[:, :, window.rows, window.cols].to(self._device, self._dtype):
            noisy = keep**0.5 * latent + (1 - keep) ** 0.5 * noise
            tapped = self._decoder(noisy, self._options.t, self._prompt)
            blocks = [block[0].float() for block in tapped]
            sums = [a + b for a, b in zip(sums, blocks, strict=True)] if sums else blocks
        return tuple(block / len(noises) for block in sums)


def parse_options(options: list[str]) -> DiffusionOptions:
    """Return the options written as ``["blocks=1+2", "t=100", "ensemble=1", "seed=0"]``.

    Raises
    ------
    ValueError
        If one is not known, or its value is not possible.
    """
    values: dict[str, Any] = {}
    for option in options:
        key, _, value = option.partition("=")
        if key not in ("blocks", "t", "ensemble", "seed") or key in values:
            raise ValueError(
                f'"{option}" is not an option; there are blocks=<numbers joined by +>, t=, '
                "ensemble= and seed=<number>, each at most once, and last path=<folder>"
            )
        try:
            numbers = tuple(int(part) for part in value.replace(",", "+").split("+"))
        except ValueError as error:
            raise ValueError(f'{key} takes whole numbers, not "{value}"') from error
        if key != "blocks" and len(numbers) > 1:
            raise ValueError(f'{key} takes one number, not "{value}"')
        values[key] = tuple(sorted(set(numbers))) if key == "blocks" else numbers[0]
    return DiffusionOptions(**values)


def signal_share(t: int) -> float:
    """Return the share in (0, 1) of the image in the variance of what is denoised at a step.

    Parameters
    ----------
    t : int
        In [0, `STEPS`).
    """
    low, high = (beta**0.5 for beta in BETAS)
    betas = torch.linspace(low, high, STEPS, dtype=torch.float64) ** 2
    return float(torch.cumprod(1 - betas, dim=0)[t])


def empty_prompt(folder: Path) -> torch.Tensor:
    """Return the text encoder's output for the empty prompt, (1, length, d) float32.

    The encoder is loaded once for its weights and let go of; the output is kept. No tokenizer
    is needed: the empty prompt is the start token and then end tokens up to the full length, and
    CLIP's vocabulary has these two last, in this order.

    Parameters
    ----------
    folder : Path
        In diffusers' layout.

    Raises
    ------
    WeightsError
        If the text encoder cannot be loaded.
    """
    path = weights_files.part_file(folder, "text_encoder")
    return _embedding(folder, weights_files.sha256_of(path))


@lru_cache(maxsize=4)
def _embedding(folder: Path, digest: str) -> torch.Tensor:
    """Return `empty_prompt` of the weights with a hash."""
    del digest  # only a part of the cache's key
    encoder = _load(folder, "text_encoder")
    config = encoder.config
    ids = torch.full((1, config.max_position_embeddings), config.vocab_size - 1)
    ids[0, 0] = config.vocab_size - 2
    with torch.no_grad():
        hidden: torch.Tensor = encoder.float()(input_ids=ids).last_hidden_state
    return hidden


class _Taps(nn.Module):
    """A denoising network without what comes after its last tapped up-block."""

    def __init__(self, unet: Any, blocks: tuple[int, ...]) -> None:
        super().__init__()
        unet.up_blocks = unet.up_blocks[: blocks[-1] + 1]
        unet.conv_norm_out = None
        unet.conv_out = nn.Identity()
        self.unet = unet
        self._seen: dict[int, torch.Tensor] = {}
        for index in blocks:
            unet.up_blocks[index].register_forward_hook(self._keeper(index))

    def forward(self, x: torch.Tensor, t: int, prompt: torch.Tensor) -> list[torch.Tensor]:
        """Return the tapped blocks' outputs (1, d, h, w), first to last."""
        self._seen.clear()
        self.unet(x, t, encoder_hidden_states=prompt, return_dict=False)
        tapped = [self._seen[index] for index in sorted(self._seen)]
        self._seen.clear()
        return tapped

    def _keeper(self, index: int) -> Any:
        """Return a hook that keeps a block's output."""

        def keep(module: nn.Module, inputs: object, output: torch.Tensor) -> None:
            del module, inputs
            self._seen[index] = output

        return keep


def _load(folder: Path, part: str, dtype: torch.dtype = torch.float32) -> Any:
    """Return one of the three networks in evaluation mode; raises WeightsError if it is not it."""
    # Both libraries take seconds to import, and most sessions do without them.
    from diffusers import AutoencoderKL, UNet2DConditionModel
    from transformers import CLIPTextModel
    from transformers.utils import logging

    path = weights_files.part_file(folder, part)
    config = folder / part / "config.json"
    check_config(config)
    header_bytes(path)
    kinds = {"unet": UNet2DConditionModel, "vae": AutoencoderKL, "text_encoder": CLIPTextModel}
    # A bar of its own would write over the command line's.
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    # Told not to save memory, diffusers does not ask for a further library each time.
    options = {"torch_dtype": dtype, "low_cpu_mem_usage": False}
    more: dict[str, Any] = {} if part == "text_encoder" else options
    try:
        check_size(kinds[part], config, path)
        network, info = kinds[part].from_pretrained(
            str(folder / part),
            variant="fp16" if path.stem.endswith(".fp16") else None,
            use_safetensors=True,
            local_files_only=True,
            output_loading_info=True,
            **more,
        )
    except WeightsError:
        raise
    # The libraries raise what they like at a damaged file or a wrong config.
    except Exception as error:
        raise WeightsError(
            f'"{folder / part}" holds no network that can be loaded; fetch or copy it again'
        ) from error
    _check_fit(folder / part, info)
    check_tensors(path, dict(network.named_parameters()))
    return network.eval().requires_grad_(False)


def _check_fit(folder: Path, info: Mapping[str, Iterable[Any]]) -> None:
    """Raise WeightsError if a network has tensors that its file has not given it."""
    # What the file has besides is harmless: old files keep position ids.
    odd = sorted(str(k) for kind in ("missing_keys", "mismatched_keys") for k in info.get(kind, ()))
    if odd:
        raise WeightsError(
            f'the weights in "{folder}" do not fit its config.json: {len(odd)} tensors are missing '
            f'or of another shape, "{odd[0]}" among them'
        )


def _width(unet: Any, blocks: tuple[int, ...]) -> tuple[int, ...]:
    """Return the channels of some up-blocks; raises ValueError if one does not exist."""
    widths = tuple(reversed(unet.config.block_out_channels))
    if blocks[-1] >= len(widths):
        raise ValueError(f"block {blocks[-1]} does not exist in a network of {len(widths)}")
    return tuple(int(widths[i]) for i in blocks)


def _to_grid(block: torch.Tensor, grid: PatchGrid) -> torch.Tensor:
    """Return one block (d, h, w) on the grid, (rows, cols, d); its cells share the sides."""
    block = normalise_block(block.contiguous(), dim=0)
    rows, cols = CellAxis.even(block.shape[1]), CellAxis.even(block.shape[2])
    return normalise_block(resample(block, rows, cols, grid))


def _letter(dtype: torch.dtype) -> str:
    """Return a precision as it stands in a key."""
    return "half" if dtype == torch.float16 else "single"
