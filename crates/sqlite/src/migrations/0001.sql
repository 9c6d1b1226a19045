-- Every body is a row in its stored form: a version, a checksum and CBOR. The columns beside it are
-- what a look-up or an index needs, and are compared with the body when the row is read.

CREATE TABLE migrations (
    version INTEGER PRIMARY KEY
) STRICT;

CREATE TABLE scopes (
    id INTEGER PRIMARY KEY,
    project TEXT NOT NULL,
    environment TEXT NOT NULL,
    body BLOB NOT NULL,
    UNIQUE (project, environment)
) STRICT;

CREATE TABLE runs (
    run BLOB PRIMARY KEY,
    scope INTEGER NOT NULL,
    wake_at INTEGER,
    parked INTEGER NOT NULL,
    parent BLOB,
    body BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX runs_wake_at ON runs (scope, wake_at, run) WHERE wake_at IS NOT NULL;

CREATE INDEX runs_parked ON runs (scope, run) WHERE parked = 1;

CREATE INDEX runs_parent ON runs (parent, run) WHERE parent IS NOT NULL;

CREATE TABLE owed (
    scope INTEGER NOT NULL,
    parent BLOB NOT NULL,
    child BLOB NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (scope, parent, child)
) STRICT, WITHOUT ROWID;

CREATE TABLE frames (
    run BLOB NOT NULL,
    first INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (run, first)
) STRICT, WITHOUT ROWID;

CREATE TABLE tokens (
    scope INTEGER NOT NULL,
    token TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (scope, token)
) STRICT, WITHOUT ROWID;

CREATE TABLE keys (
    scope INTEGER NOT NULL,
    token TEXT NOT NULL,
    key TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (scope, token, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE forgets (
    scope INTEGER NOT NULL,
    at INTEGER NOT NULL,
    token TEXT NOT NULL,
    which INTEGER NOT NULL,
    name TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (scope, at, token, which, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE start_keys (
    scope INTEGER NOT NULL,
    key TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (scope, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE chunks (
    run BLOB NOT NULL,
    stream TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (run, stream)
) STRICT, WITHOUT ROWID;

CREATE TABLE mail (
    scope INTEGER NOT NULL,
    place INTEGER NOT NULL,
    token TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    until INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (scope, place)
) STRICT, WITHOUT ROWID;

CREATE INDEX mail_token ON mail (scope, token, place, bytes);

CREATE INDEX mail_until ON mail (scope, until, place, bytes);

CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    body BLOB NOT NULL
) STRICT, WITHOUT ROWID;
