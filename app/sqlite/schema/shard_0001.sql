-- A shard of a cluster: one table for each organization that lives here.

-- Whose table is which. Organizations are found by their id alone; a table's
-- name can become another organization's.
CREATE TABLE namespaces (
    organization_id TEXT    NOT NULL PRIMARY KEY,
    collection      TEXT    NOT NULL UNIQUE,
    generation      INTEGER NOT NULL,
    -- 1 once the table has its index by type.
    indexed         INTEGER NOT NULL DEFAULT 0,
    created_at      INTEGER NOT NULL -- milliseconds since 1970
) STRICT;
