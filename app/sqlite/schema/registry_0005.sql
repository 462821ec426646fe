-- How far the emptying of a cluster came: JSON; NULL for the other kinds.
ALTER TABLE operations ADD COLUMN drain TEXT;
-- Where those go who would come to a cluster that is closed.
ALTER TABLE added_clusters ADD COLUMN instead TEXT NOT NULL DEFAULT '';
