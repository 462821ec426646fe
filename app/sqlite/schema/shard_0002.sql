-- An organization can be in a file twice while it moves: its namespaces are
-- told apart by their isolation, and each has a phase.
CREATE TABLE namespaces_2 (
    organization_id TEXT    NOT NULL,
    isolation       TEXT    NOT NULL,
    collection      TEXT    NOT NULL,
    generation      INTEGER NOT NULL,
    phase           TEXT    NOT NULL DEFAULT 'open',
    -- 1 once the table has its index by type.
    indexed         INTEGER NOT NULL DEFAULT 0,
    created_at      INTEGER NOT NULL, -- milliseconds since 1970
    PRIMARY KEY (organization_id, isolation)
) STRICT, WITHOUT ROWID;
INSERT INTO namespaces_2 (organization_id, isolation, collection, generation, indexed, created_at)
    SELECT organization_id, 'collection', collection, generation, indexed, created_at FROM namespaces;
DROP TABLE namespaces;
ALTER TABLE namespaces_2 RENAME TO namespaces;
CREATE UNIQUE INDEX namespaces_by_collection ON namespaces (collection) WHERE isolation <> 'shared';

-- The documents of all organizations that share a table.
CREATE TABLE shared (
    org_id   TEXT    NOT NULL,
    id       TEXT    NOT NULL,
    type     TEXT    NOT NULL,
    revision INTEGER NOT NULL,
    created  INTEGER NOT NULL,
    updated  INTEGER NOT NULL,
    crc      INTEGER NOT NULL,
    data     TEXT    NOT NULL,
    PRIMARY KEY (org_id, id)
) STRICT;
CREATE INDEX shared_by_type ON shared (org_id, type, id);

-- What was touched while its namespace was recording. A mark is never given
-- twice: a document that is touched again gets another.
CREATE TABLE changes (
    mark            INTEGER PRIMARY KEY AUTOINCREMENT,
    organization_id TEXT NOT NULL,
    isolation       TEXT NOT NULL,
    id              TEXT NOT NULL,
    UNIQUE (organization_id, isolation, id)
) STRICT;
CREATE INDEX changes_by_mark ON changes (organization_id, isolation, mark);
