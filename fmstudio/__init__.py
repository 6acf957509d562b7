"""fmstudio: carry keypoints and masks across image collections by functional maps."""

import os

# Read by the libraries of networks when they are loaded. By default their threads spin while they
# wait for each other: with anything else to do on the machine, the window's own thread to begin
# with, that costs several times the work itself.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

__version__ = "0.1.0"
