"""fmstudio: carry keypoints and masks across image collections by functional maps."""

__version__ = "0.1.0"
