-- Times are milliseconds since 1970 in UTC; ids are UUIDs as text.

CREATE TABLE organizations (
	id          TEXT PRIMARY KEY,
	name        TEXT NOT NULL,
	name_key    TEXT NOT NULL,
	slug        TEXT NOT NULL UNIQUE,
	external_id TEXT NOT NULL,              -- '' for none
	metadata    TEXT,                       -- a JSON object of text
	state       TEXT NOT NULL,
	cluster     TEXT NOT NULL,
	isolation   TEXT NOT NULL,
	"database"  TEXT NOT NULL,
	collection  TEXT NOT NULL,
	generation  INTEGER NOT NULL,
	owner_id    TEXT NOT NULL,
	revision    INTEGER NOT NULL,
	created_at  INTEGER NOT NULL,
	updated_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX organizations_by_name ON organizations (name_key, id);
-- A collection is one organization's, whatever becomes of the names.
CREATE UNIQUE INDEX organizations_by_collection ON organizations (cluster, "database", collection)
	WHERE isolation = 'collection';

-- Who may use a name: the slugs and external ids of organizations, the email
-- keys of users. An operation that changes one holds the old and the new.
CREATE TABLE claims (
	kind  TEXT NOT NULL,
	value TEXT NOT NULL,
	owner TEXT NOT NULL,
	PRIMARY KEY (kind, value)
) STRICT, WITHOUT ROWID;
CREATE INDEX claims_by_owner ON claims (owner);

CREATE TABLE users (
	id            TEXT PRIMARY KEY,
	email         TEXT NOT NULL,
	email_key     TEXT NOT NULL UNIQUE,
	name          TEXT NOT NULL,
	password_hash TEXT NOT NULL,
	revision      INTEGER NOT NULL,
	created_at    INTEGER NOT NULL,
	updated_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE memberships (
	organization_id TEXT NOT NULL,
	user_id         TEXT NOT NULL,
	role            TEXT NOT NULL,
	created_at      INTEGER NOT NULL,
	PRIMARY KEY (organization_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX memberships_by_user ON memberships (user_id, organization_id);

CREATE TABLE sessions (
	id              TEXT PRIMARY KEY,
	user_id         TEXT NOT NULL,
	organization_id TEXT NOT NULL,
	refresh_hash    BLOB NOT NULL,
	previous_hash   BLOB,
	created_at      INTEGER NOT NULL,
	last_used_at    INTEGER NOT NULL,
	expires_at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_organization ON sessions (organization_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

CREATE TABLE operator_keys (
	id           TEXT PRIMARY KEY,
	name         TEXT NOT NULL,
	hash         BLOB NOT NULL UNIQUE,
	created_at   INTEGER NOT NULL,
	last_used_at INTEGER,
	expires_at   INTEGER,
	revoked_at   INTEGER
) STRICT, WITHOUT ROWID;

-- A name says which key to revoke; that of a revoked one is free again.
CREATE UNIQUE INDEX operator_keys_by_name ON operator_keys (name) WHERE revoked_at IS NULL;

CREATE TABLE signing_keys (
	id         TEXT PRIMARY KEY,
	public     BLOB NOT NULL,
	sealed     BLOB NOT NULL,
	created_at INTEGER NOT NULL,
	retired_at INTEGER
) STRICT, WITHOUT ROWID;

-- What a request with an idempotency key is answered with when it comes again.
CREATE TABLE repetitions (
	key             TEXT PRIMARY KEY,
	fingerprint     BLOB NOT NULL,
	expires_at      INTEGER NOT NULL,
	organization_id TEXT NOT NULL,
	answer          TEXT NOT NULL           -- JSON
) STRICT, WITHOUT ROWID;
CREATE INDEX repetitions_by_organization ON repetitions (organization_id);
CREATE INDEX repetitions_by_expiry ON repetitions (expires_at);

CREATE TABLE operations (
	id              TEXT PRIMARY KEY,
	kind            TEXT NOT NULL,
	organization_id TEXT NOT NULL,
	state           TEXT NOT NULL,
	step            TEXT NOT NULL,
	change          TEXT,                   -- JSON; gone when the operation has ended
	cluster         TEXT NOT NULL,
	isolation       TEXT NOT NULL,
	"database"      TEXT NOT NULL,
	collection      TEXT NOT NULL,
	generation      INTEGER NOT NULL,
	"before"        TEXT NOT NULL,          -- the state that a restoring leads back to, or ''
	due_at          INTEGER,                -- NULL for at once
	error           TEXT NOT NULL,
	attempts        INTEGER NOT NULL,
	holder          TEXT NOT NULL,          -- '' for nobody
	held_until      INTEGER,
	created_at      INTEGER NOT NULL,
	updated_at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX operations_open ON operations (organization_id)
	WHERE state IN ('running', 'aborting', 'cancelling');
CREATE INDEX operations_ended ON operations (updated_at)
	WHERE state IN ('completed', 'failed', 'cancelled');
CREATE INDEX operations_by_organization ON operations (organization_id, id);
