"""Save networks of Stable Diffusion's classes and shape, but tiny and random, to try the code on.

``python packaging/tiny_diffusion.py FOLDER`` writes them as diffusers lays them out; the smoke test
lets a bundle load them, since no real weights may be had by a test.
"""

import argparse
import importlib
from pathlib import Path
from typing import Any


def save(folder: Path) -> None:
    """Write the three networks below a folder."""
    import torch
    from transformers import CLIPTextConfig, CLIPTextModel

    # Its classes are found at run time, and checkers of types find half of them.
    diffusers: Any = importlib.import_module("diffusers")
    torch.manual_seed(0)
    width, text = (8, 16, 24), 12
    unet = diffusers.UNet2DConditionModel(
        sample_size=8,
        block_out_channels=width,
        down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
        layers_per_block=1,
        cross_attention_dim=text,
        attention_head_dim=2,
        norm_num_groups=4,
    )
    vae = diffusers.AutoencoderKL(
        block_out_channels=width[:2],
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        norm_num_groups=4,
        latent_channels=4,
    )
    config = CLIPTextConfig(
        vocab_size=40,
        bos_token_id=38,
        eos_token_id=39,
        hidden_size=text,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=7,
    )
    unet.save_pretrained(folder / "unet")
    vae.save_pretrained(folder / "vae")
    CLIPTextModel(config).save_pretrained(folder / "text_encoder")


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    save(parser.parse_args().folder)


if __name__ == "__main__":
    main()
