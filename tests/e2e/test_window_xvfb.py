"""The journey with real mouse and key events, where there is an X server to send them through."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

SCRIPT = Path(__file__).resolve().parents[2] / "packaging" / "window_journey.py"
SKIPPED = 77


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_person_gets_from_the_welcome_page_to_the_exported_file(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, str(SCRIPT), str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=360,
        check=False,
    )
    if ran.returncode == SKIPPED:
        pytest.skip(ran.stdout.strip().removeprefix("skipped: "))
    assert ran.returncode == 0, ran.stdout + ran.stderr
    pictures = sorted(tmp_path.glob("*.png"))
    assert [p.stem.partition("-")[2] for p in pictures][:2] == ["welcome", "opened"]
    assert len(pictures) == 15
    for picture in pictures:
        with Image.open(picture) as image:
            assert np.asarray(image.convert("L")).std() > 5, f"{picture.name} is empty"
