"""Where the files that come with fmstudio are: in the installed package, or in the checkout."""

from importlib.resources import files
from pathlib import Path

from fmstudio.errors import DatasetError


def resource(name: str) -> Path:
    """Return the path of a file or folder under ``resources/``.

    Parameters
    ----------
    name : str
        With forward slashes, such as ``"sample/cats"``.

    Raises
    ------
    DatasetError
        If it is not there: the installation is damaged.
    """
    package = Path(str(files("fmstudio")))
    # A wheel packs resources/ into the package; an editable install leaves it in the checkout.
    for root in (package.parent / "resources", package / "_resources"):
        path = root / name
        if path.exists():
            return path
    raise DatasetError(f"'{name}' is missing among fmstudio's resources: install fmstudio again.")
