"""Runs SecantusDB until the standard input ends, and removes its files then.

The input is a pipe that the test's process holds: it ends with that process,
also when that is killed.
"""

import os
import shutil
import sys
import threading
import time

storage = sys.argv[sys.argv.index("--storage-path") + 1]


def watch():
    while sys.stdin.buffer.read(4096):
        pass
    shutil.rmtree(storage, ignore_errors=True)
    os._exit(0)


threading.Thread(target=watch, daemon=True).start()

import secantus.server  # noqa: E402 (the watch comes first)
from secantus import transactions  # noqa: E402
from secantus.cli import main  # noqa: E402

# What mongod's transactionLifetimeLimitSeconds sets: how long the transaction
# of a killed client is in the way of others. A minute, if nobody sets it.
LIFETIME = "--transaction-lifetime"
if LIFETIME in sys.argv:
    at = sys.argv.index(LIFETIME)
    defaults = secantus.server.SecantusDBServer.__init__.__kwdefaults__
    defaults["transaction_lifetime_seconds"] = float(sys.argv[at + 1])
    del sys.argv[at : at + 2]


class Registry(transactions.TransactionRegistry):
    """Ends transactions whose time is over by itself, as mongod's periodic job
    does. SecantusDB does it only when somebody sends the next command of a
    transaction: where nobody does, what a dead client has written is in the way
    of all plain writes for ever. And it keeps all transactions waiting while it
    waits for those in use; one that is in use is not ended here."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        threading.Thread(target=self.sweep, daemon=True).start()

    def _prune_locked(self):
        return 0

    def sweep(self):
        while True:
            time.sleep(min(1.0, self._lifetime / 4))
            cutoff = self._time() - self._lifetime
            with self._lock:
                expired = [txn for txn in self._txns.values() if txn.last_use < cutoff]
            for txn in expired:
                if txn.mutex.acquire(blocking=False):
                    try:
                        if txn.state is transactions.TxnState.IN_PROGRESS and txn.last_use < cutoff:
                            self._rollback_quietly(txn)
                            txn.state = transactions.TxnState.ABORTED
                    finally:
                        txn.mutex.release()


secantus.server.TransactionRegistry = Registry

sys.exit(main())
