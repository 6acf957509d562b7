"""What test_kill_propagate.py kills: for every line, a fork that runs a command for a while.

Everything heavy is imported once; the fork then loads the networks and works as the command does.
"""

import json
import os
import signal
import sys
import time

import fmstudio.engine.propagate  # noqa: F401
from fmstudio.__main__ import main

for line in sys.stdin:
    delay, args = json.loads(line)
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        os.dup2(2, 1)
        main(args)
    ended, status = 0, 0
    while not ended and (delay is None or time.monotonic() < started + delay):
        ended, status = os.waitpid(child, os.WNOHANG)
        time.sleep(0.002)
    if not ended:
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    seconds = time.monotonic() - started
    os.write(1, f"{os.waitstatus_to_exitcode(status)} {seconds}\n".encode())
