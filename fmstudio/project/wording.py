"""Small words for labels and sentences."""


def counted(n: int, noun: str) -> str:
    """Return a number with its noun in the right number: "1 image", "2,000 images"."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {_plural(noun)}"


def _plural(noun: str) -> str:
    """Return the plural of a regular English noun."""
    return noun[:-1] + "ies" if noun.endswith("y") else noun + "s"
