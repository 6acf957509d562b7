"""The exceptions that fmstudio raises.

Every message is one sentence that a person can act on: what is wrong, where, what to do.

::

    FmstudioError
    ├── ImageError        an image cannot be read: missing, truncated, too large, not an image
    ├── ProjectError      an edit would break a project's invariants
    ├── StoreError        a project file cannot be opened, read or written
    │   ├── DamagedError        it is damaged: a backup may be whole
    │   └── NotWritableError    it is open elsewhere, or read-only: it may be looked at
    ├── FormatError       a file to import or export breaks its format's rules
    ├── WeightsError      weights are missing, damaged or do not fit their network
    ├── MatchError        two images cannot be matched with these settings
    ├── DatasetError      a data set is not where or what it should be
    └── Cancelled         the person asked to stop; not a fault
"""


class FmstudioError(Exception):
    """Base of every error whose text is fit to be shown as it is."""


class ImageError(FmstudioError):
    """An image cannot be read."""


class ProjectError(FmstudioError):
    """An edit or a project breaks an invariant."""


class StoreError(FmstudioError):
    """A project file cannot be opened, read or written."""


class DamagedError(StoreError):
    """A project file is damaged.

    Parameters
    ----------
    text : str
    path : str
        The file's.
    """

    def __init__(self, text: str, path: str) -> None:
        super().__init__(text)
        self.path = path


class NotWritableError(StoreError):
    """A project can be looked at and not worked on: it is open elsewhere, or read-only."""


class FormatError(FmstudioError):
    """A file to import or export breaks its format's rules."""


class WeightsError(FmstudioError):
    """Weights are missing, damaged or do not fit their network."""


class MatchError(FmstudioError):
    """Two images cannot be matched with these settings."""


class DatasetError(FmstudioError):
    """A data set is not where or what it should be."""


class Cancelled(FmstudioError):  # noqa: N818 (an outcome, no fault)
    """The work was cancelled by the person."""
