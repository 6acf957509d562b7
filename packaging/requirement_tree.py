"""What fmstudio needs: its requirements, and theirs, as this environment has them."""

from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def requirement_tree(root: str = "fmstudio", left_out: Iterable[str] = ()) -> list[Distribution]:
    """Return a distribution and all that it needs here, itself first, the rest by name.

    The root's extras are not followed; those that a requirement asks for are.

    Parameters
    ----------
    root : str
    left_out : iterable of str
        Names that are not followed and not returned.

    Raises
    ------
    LookupError
        If one of them is not installed.
    """
    skipped = {canonicalize_name(name) for name in left_out}
    found: dict[str, Distribution] = {}
    asked: dict[str, set[str]] = {}
    todo: list[tuple[str, frozenset[str]]] = [(canonicalize_name(root), frozenset())]
    while todo:
        name, extras = todo.pop()
        if name in skipped or (name in found and extras <= asked[name]):
            continue
        found[name] = _installed(name)
        asked.setdefault(name, set()).update(extras)
        todo += _needed(found[name], asked[name])
    first = found.pop(canonicalize_name(root))
    return [first, *(found[name] for name in sorted(found))]


def direct_requirements(dist: Distribution) -> set[str]:
    """Return the canonical names of what a distribution needs here, without its extras."""
    return {name for name, _ in _needed(dist, ())}


def _installed(name: str) -> Distribution:
    """Return a distribution of this environment."""
    try:
        return distribution(name)
    except PackageNotFoundError as error:
        raise LookupError(
            f"'{name}' is needed and not installed here: run 'pip install -e \".[bundle]\"'."
        ) from error


def _needed(dist: Distribution, extras: Iterable[str]) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield the names, with their extras, that a distribution needs here for some extras."""
    for line in dist.requires or ():
        wish = Requirement(line)
        marker = wish.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            yield canonicalize_name(wish.name), frozenset(wish.extras)
