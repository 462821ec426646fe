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

import secantus.server  # noqa: E402 (the watch comes first)
from secantus.cli import main  # noqa: E402

# What mongod's transactionLifetimeLimitSeconds sets: how long the transaction
# of a killed client is in the way of others. A minute, if nobody sets it; and
# it is set only where a test needs it, since a server that is so busy that it
# ends a transaction in use may answer nobody any more.
LIFETIME = "--transaction-lifetime"
if LIFETIME in sys.argv:
    at = sys.argv.index(LIFETIME)
    defaults = secantus.server.SecantusDBServer.__init__.__kwdefaults__
    defaults["transaction_lifetime_seconds"] = float(sys.argv[at + 1])
    del sys.argv[at : at + 2]

sys.exit(main())
