"""Runs SecantusDB until the standard input ends, and removes its files then.

The input is a pipe that the test's process holds: it ends with that process,
also when that is killed.
"""

import os
import shutil
import sys
import threading

storage = sys.argv[sys.argv.index("--storage-path") + 1]


def watch():
    while sys.stdin.buffer.read(4096):
        pass
    shutil.rmtree(storage, ignore_errors=True)
    os._exit(0)


threading.Thread(target=watch, daemon=True).start()

from secantus.cli import main  # noqa: E402 (the watch comes first)

sys.exit(main())
