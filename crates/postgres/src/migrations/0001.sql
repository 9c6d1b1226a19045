-- Every body is a row in its stored form: a version, a checksum and CBOR. The columns beside it are
-- what a look-up or an index needs, and are compared with the body when the row is read. Tokens and
-- keys are bytes: they are compared as bytes, whatever the encoding of the database.

CREATE TABLE scopes (
    id bigint GENERATED ALWAYS AS IDENTITY (MINVALUE 0 MAXVALUE 4294967295 START 0) PRIMARY KEY,
    project bytea NOT NULL,
    environment bytea NOT NULL,
    UNIQUE (project, environment)
);

-- Processes that work on the tables. Those that are gone are taken away once nothing is leased to them
-- that has a wake-up.
CREATE TABLE nodes (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    scope bigint NOT NULL,
    name bytea NOT NULL,
    build bytea NOT NULL,
    workflows bytea[] NOT NULL,
    lives_until bigint NOT NULL,
    -- When it was last heard again after it had been taken for dead.
    back_at bigint NOT NULL DEFAULT -3000,
    -- Once it leaves: the runs that it goes on with. Gone, where there are none.
    keeps uuid[]
) WITH (fillfactor = 50);

CREATE INDEX nodes_scope ON nodes (scope);

-- The hot rows. They are small: payloads are in frames and tokens.
CREATE TABLE runs (
    run uuid PRIMARY KEY,
    scope bigint NOT NULL,
    -- The node that leases it, 0 for none. The body does not say it again.
    node bigint NOT NULL,
    -- Empty once it has ended: what is left to do then, any node can.
    workflow bytea NOT NULL,
    wake_at bigint,
    -- The builds that could not follow it.
    parked bytea[],
    parent uuid,
    body bytea NOT NULL
) PARTITION BY HASH (run);

CREATE INDEX runs_wake_at ON runs (scope, node, wake_at, run) WHERE wake_at IS NOT NULL;

CREATE INDEX runs_parked ON runs (scope, run) WHERE parked IS NOT NULL;

CREATE INDEX runs_parent ON runs (parent, run) WHERE parent IS NOT NULL;

CREATE TABLE frames (
    run uuid NOT NULL,
    first bigint NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (run, first)
) PARTITION BY HASH (run);

CREATE TABLE tokens (
    scope bigint NOT NULL,
    token bytea NOT NULL,
    run uuid NOT NULL,
    chosen boolean NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (scope, token)
) PARTITION BY HASH (token);

CREATE INDEX tokens_chosen ON tokens (scope, token) WHERE chosen;

CREATE TABLE keys (
    scope bigint NOT NULL,
    token bytea NOT NULL,
    key bytea NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (scope, token, key)
) PARTITION BY HASH (token);

-- Room beside the rows that change, so that a change stays on its page and no index is written.
DO $$
BEGIN
    FOR part IN 0..7 LOOP
        EXECUTE format('CREATE TABLE runs_%1$s PARTITION OF runs
            FOR VALUES WITH (MODULUS 8, REMAINDER %1$s) WITH (fillfactor = 70)', part);
        EXECUTE format('CREATE TABLE frames_%1$s PARTITION OF frames
            FOR VALUES WITH (MODULUS 8, REMAINDER %1$s)', part);
        EXECUTE format('CREATE TABLE tokens_%1$s PARTITION OF tokens
            FOR VALUES WITH (MODULUS 8, REMAINDER %1$s) WITH (fillfactor = 80)', part);
        EXECUTE format('CREATE TABLE keys_%1$s PARTITION OF keys
            FOR VALUES WITH (MODULUS 8, REMAINDER %1$s)', part);
    END LOOP;
END
$$;

CREATE TABLE forgets (
    scope bigint NOT NULL,
    at bigint NOT NULL,
    token bytea NOT NULL,
    which smallint NOT NULL,
    name bytea NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (scope, at, token, which, name)
);

CREATE TABLE start_keys (
    scope bigint NOT NULL,
    key bytea NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (scope, key)
);

CREATE TABLE owed (
    scope bigint NOT NULL,
    parent uuid NOT NULL,
    child uuid NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (scope, parent, child)
);

CREATE TABLE chunks (
    run uuid NOT NULL,
    stream bytea NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (run, stream)
);

CREATE TABLE mail (
    scope bigint NOT NULL,
    place bigint NOT NULL,
    token bytea NOT NULL,
    bytes bigint NOT NULL,
    until bigint NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (scope, place)
);

CREATE INDEX mail_token ON mail (scope, token, place) INCLUDE (bytes);

CREATE INDEX mail_until ON mail (scope, until, place) INCLUDE (bytes);

CREATE TABLE counts (
    name text PRIMARY KEY,
    value bigint NOT NULL
);
