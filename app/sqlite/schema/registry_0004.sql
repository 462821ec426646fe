-- Whether the registry is being moved to another place, or was; no row: no.
CREATE TABLE migration (
	id        INTEGER PRIMARY KEY CHECK (id = 1),
	state     TEXT NOT NULL,
	migration TEXT NOT NULL,
	peer      TEXT NOT NULL,
	at        INTEGER NOT NULL
) STRICT;
