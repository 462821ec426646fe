-- How far a relocation came: JSON; NULL for the other kinds.
ALTER TABLE operations ADD COLUMN relocation TEXT;
DROP INDEX operations_ended;
CREATE INDEX operations_ended ON operations (updated_at)
	WHERE state IN ('completed', 'failed', 'cancelled', 'reverted');
