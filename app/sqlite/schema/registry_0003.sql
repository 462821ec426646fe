-- Clusters that were added while servers ran.
CREATE TABLE added_clusters (
	name           TEXT PRIMARY KEY,
	sealed         BLOB NOT NULL,
	shards         INTEGER NOT NULL,
	isolations     TEXT NOT NULL,           -- JSON
	max_namespaces INTEGER NOT NULL,
	closing        INTEGER NOT NULL,
	revision       INTEGER NOT NULL,
	created_at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- How many organizations a cluster has is counted again and again.
CREATE INDEX organizations_by_place ON organizations (cluster, isolation);
