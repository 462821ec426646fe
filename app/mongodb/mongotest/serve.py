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
from secantus.storage import Storage  # noqa: E402

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

# Two things that the program's fences rest on are made as MongoDB has them:
# what changes a collection waits for the writes in progress and keeps others
# out until it is done, and a collection that is renamed keeps its validator.
# docs/mongodb-gaps.md names them.
WRITES = ("insert", "update", "delete", "findAndModify", "findandmodify")
CHANGES = ("create", "collMod", "drop")


class Gate:
    """Many who write, or one who changes the collection; who changes goes first."""

    def __init__(self):
        self.moved = threading.Condition()
        self.inside = 0
        self.waiting = 0

    def enter(self, alone):
        with self.moved:
            if alone:
                self.waiting += 1
                self.moved.wait_for(lambda: self.inside == 0)
                self.waiting -= 1
                self.inside = -1
            else:
                self.moved.wait_for(lambda: self.inside >= 0 and self.waiting == 0)
                self.inside += 1

    def leave(self):
        with self.moved:
            self.inside = max(self.inside - 1, 0)
            self.moved.notify_all()


gates = {}
gates_of = threading.Lock()


def gate(namespace):
    with gates_of:
        return gates.setdefault(namespace, Gate())


dispatch = secantus.server.dispatch


def gated(body, ctx):
    name = next(iter(body), "")
    if name == "renameCollection":
        return rename(body, ctx)
    if name == "dbStats":
        return with_disk(dispatch(body, ctx))
    if name not in WRITES and name not in CHANGES:
        return dispatch(body, ctx)
    held = gate(f"{ctx.db_name}.{body[name]}")
    held.enter(alone=name in CHANGES)
    try:
        return dispatch(body, ctx)
    finally:
        held.leave()


def with_disk(answer):
    """dbStats tells of the disk as well, as mongod's does."""
    disk = shutil.disk_usage(storage)
    answer["fsUsedSize"], answer["fsTotalSize"] = float(disk.used), float(disk.total)
    return answer


def rename(body, ctx):
    source, target = body["renameCollection"], body["to"]
    held = [gate(namespace) for namespace in sorted({source, target})]
    for one in held:
        one.enter(alone=True)
    try:
        kept = ctx.storage.get_collection_options(*source.split(".", 1))
        answer = dispatch(body, ctx)
        if answer.get("ok") and kept:
            ctx.storage.set_collection_options(*target.split(".", 1), **kept)
        return answer
    finally:
        for one in held:
            one.leave()


secantus.server.dispatch = gated

# A filter with an _id goes by the index of it, whatever else is in the filter.
# SecantusDB prefers another index that holds a field of it, and so reads all
# documents of an organization in the shared collection for each one of them.
by_index = Storage._try_index_id_keys


def by_id_first(self, db, coll, filter, *, collation=None):
    if collation is None and len(filter) > 1 and "_id" in filter:
        found = by_index(self, db, coll, {"_id": filter["_id"]})
        if found is not None:
            return found
    return by_index(self, db, coll, filter, collation=collation)


Storage._try_index_id_keys = by_id_first

sys.exit(main())
