PRAGMA application_id=1667330146;
PRAGMA user_version=1;
BEGIN TRANSACTION;
CREATE TABLE events (
	run TEXT NOT NULL, 
	seq INTEGER NOT NULL, 
	at FLOAT NOT NULL, 
	json TEXT NOT NULL, 
	PRIMARY KEY (run, seq), 
	FOREIGN KEY(run) REFERENCES runs (id) ON DELETE CASCADE
)
 WITHOUT ROWID

;
INSERT INTO "events" VALUES('20261101-100000-aaaaaaaaaaaaaaaa',0,101.0,'{"type":"run_started","n":[1,null,"\u00e9"]}');
INSERT INTO "events" VALUES('20261101-100000-aaaaaaaaaaaaaaaa',1,102.0,'{"type":"run_finished"}');
INSERT INTO "events" VALUES('20261101-110000-bbbbbbbbbbbbbbbb',0,201.0,'{"type":"run_started"}');
CREATE TABLE runs (
	id TEXT NOT NULL, 
	started_at FLOAT NOT NULL, 
	ended_at FLOAT, 
	task TEXT NOT NULL, 
	workspace TEXT NOT NULL, 
	model TEXT NOT NULL, 
	outcome TEXT, 
	input_tokens INTEGER NOT NULL, 
	output_tokens INTEGER NOT NULL, 
	cache_read_tokens INTEGER NOT NULL, 
	cache_write_tokens INTEGER NOT NULL, 
	usd FLOAT, 
	PRIMARY KEY (id)
);
INSERT INTO "runs" VALUES('20261101-100000-aaaaaaaaaaaaaaaa',100.5,102.5,'tidy up','/home/a/project','scripted:x.json','completed',10,20,30,40,0.25);
INSERT INTO "runs" VALUES('20261101-110000-bbbbbbbbbbbbbbbb',200.5,NULL,'it was killed','/home/a/project','scripted:x.json',NULL,0,0,0,0,NULL);
CREATE INDEX runs_by_start ON runs (started_at);
COMMIT;
