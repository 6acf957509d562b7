"""Labelled sets from local disk: plain COCO folders and the published sets. Nothing is downloaded.

`catalogue.open_dataset` reads a published set by its name; it is imported from there, so that a
plain folder is read without what the published sets need.
"""

from fmstudio.evaluation.datasets.coco import COCO_NAME, IMAGES_NAME, find_sets, read_coco_folder
from fmstudio.evaluation.datasets.labelled import THRESHOLDS, Box, LabelledImage, LabelledSet

__all__ = [
    "COCO_NAME",
    "IMAGES_NAME",
    "THRESHOLDS",
    "Box",
    "LabelledImage",
    "LabelledSet",
    "find_sets",
    "read_coco_folder",
]
