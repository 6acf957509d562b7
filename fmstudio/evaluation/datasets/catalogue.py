"""The published sets by name: what each is, under which terms, and how its folder has to look.

Nothing is downloaded: a set is read from where a person has unpacked it. A further set is a module
with a reader and one entry in `DATASETS`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from fmstudio.errors import DatasetError
from fmstudio.evaluation.datasets import ap10k, davis, pf_pascal, pf_willow, spair, tss
from fmstudio.evaluation.datasets.davis import VideoSequence
from fmstudio.evaluation.datasets.files import SetNotFoundError
from fmstudio.evaluation.datasets.labelled import LabelledSet
from fmstudio.evaluation.datasets.tss import DenseSet

Contents = tuple[LabelledSet, ...] | tuple[VideoSequence, ...] | DenseSet
"""Images with keypoints or masks by category, videos, or pairs with a dense truth."""

Reader = Callable[[Path, str], Contents]


@dataclass(frozen=True, slots=True)
class DatasetInfo:
    """A published set.

    Attributes
    ----------
    name : str
        By which it is asked for.
    title : str
        As its authors write it.
    licence : str
        The terms that its authors state; "none stated" where they state none.
    size : str
        Of what is to be fetched, in words.
    homepage : str
        Where it is to be had.
    layout : str
        The folder as a tree, a line each.
    read : callable
        (root, split) to `Contents`; raises `SetNotFoundError` where the set is not there.
    splits : tuple of str
        What it can be asked for.
    """

    name: str
    title: str
    licence: str
    size: str
    homepage: str
    layout: str
    read: Reader
    splits: tuple[str, ...]


_ALL = (
    DatasetInfo(
        name="spair-71k",
        title="SPair-71k",
        licence="the terms of PASCAL VOC and of Flickr, from where its photos are",
        size="227 MB",
        homepage="https://cvlab.postech.ac.kr/research/SPair-71k/",
        layout=spair.LAYOUT,
        read=spair.read_spair,
        splits=spair.SPLITS,
    ),
    DatasetInfo(
        name="pf-pascal",
        title="PF-PASCAL",
        licence="none stated; its photos are from PASCAL VOC",
        size="not stated; some 1,300 small photos",
        homepage="https://www.di.ens.fr/willow/research/proposalflow/",
        layout=pf_pascal.LAYOUT,
        read=pf_pascal.read_pf_pascal,
        splits=pf_pascal.SPLITS,
    ),
    DatasetInfo(
        name="pf-willow",
        title="PF-WILLOW",
        licence="none stated",
        size="not stated; some 100 small photos",
        homepage="https://www.di.ens.fr/willow/research/proposalflow/",
        layout=pf_willow.LAYOUT,
        read=pf_willow.read_pf_willow,
        splits=pf_willow.SPLITS,
    ),
    DatasetInfo(
        name="ap-10k",
        title="AP-10K",
        licence="CC-BY-4.0",
        size="3.4 GB",
        homepage="https://github.com/AlexTheBad/AP-10K",
        layout=ap10k.LAYOUT,
        read=ap10k.read_ap10k,
        splits=ap10k.SPLITS,
    ),
    DatasetInfo(
        name="tss",
        title="TSS",
        licence="none stated",
        size="not stated; 400 pairs",
        homepage="https://taniai.space/projects/cvpr16_dccs/",
        layout=tss.LAYOUT,
        read=tss.read_tss,
        splits=tss.SPLITS,
    ),
    DatasetInfo(
        name="davis-2017",
        title="DAVIS-2017",
        licence="stated on its homepage; read it before use",
        size="not stated; some 90 videos at 480p",
        homepage="https://davischallenge.org/davis2017/code.html",
        layout=davis.LAYOUT,
        read=davis.read_davis,
        splits=davis.SPLITS,
    ),
)

DATASETS: Mapping[str, DatasetInfo] = MappingProxyType({info.name: info for info in _ALL})
"""The published sets that can be read, by name."""


def open_dataset(name: str, root: Path, split: str | None = None) -> Contents:
    """Return what a published set holds, read from disk.

    Parameters
    ----------
    name : str
        In `DATASETS`.
    root : Path
        The folder that the set's archive was unpacked in, or the one that came out of it.
    split : str or None
        One of the set's; None is "test", or the last of a set without one.

    Raises
    ------
    DatasetError
        If there is no such set or split, the set is not in the folder, or a file of it is missing
        or not as its authors describe it.
    """
    if name not in DATASETS:
        raise DatasetError(f'There is no data set "{name}"; choose among {", ".join(DATASETS)}.')
    info = DATASETS[name]
    split = split or ("test" if "test" in info.splits else info.splits[-1])
    if split not in info.splits:
        raise DatasetError(
            f'{info.title} has no split "{split}"; choose among {", ".join(info.splits)}.'
        )
    try:
        return info.read(root, split)
    except SetNotFoundError as error:
        raise DatasetError(_how_to_get(info, root)) from error


def _how_to_get(info: DatasetInfo, root: Path) -> str:
    """Return the sentences for a set that is not in the folder."""
    return (
        f"{info.title} is not in {root}, and fmstudio downloads no data set. Get it from "
        f"{info.homepage} (size: {info.size}; licence: {info.licence}) and unpack it there, so "
        f"that the folder looks like this:\n{info.layout}"
    )
