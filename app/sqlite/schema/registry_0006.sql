-- Where the store of an added cluster is: a mark, by which no two have one.
ALTER TABLE added_clusters ADD COLUMN place BLOB NOT NULL DEFAULT x'';
CREATE UNIQUE INDEX added_clusters_by_place ON added_clusters (place) WHERE place <> x'';
