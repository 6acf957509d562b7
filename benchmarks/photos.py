"""Real inputs for the benchmarks: the sample's photos."""

from pathlib import Path

from fmstudio.engine.match import ImageAnalysis, Matcher
from fmstudio.engine.requests import MatchSettings
from fmstudio.io.images import read_rgb
from fmstudio.resources import resource


def cat_photos() -> list[Path]:
    """Return the paths of the five cats."""
    return sorted(resource("sample/cats/images").glob("*.jpg"))


def analyse_cats(count: int, settings: MatchSettings) -> tuple[Matcher, list[ImageAnalysis]]:
    """Return a matcher and the analyses of the first cats."""
    matcher = Matcher(settings)
    return matcher, [matcher.analyse(read_rgb(path), path.name) for path in cat_photos()[:count]]
