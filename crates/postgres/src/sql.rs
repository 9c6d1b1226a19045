//! Every statement, by name. Each connection prepares all of them once, so that a request costs no
//! round trip for that, and the plans are made for good.
//!
//! Keys of rows come in as arrays, and are joined in the order of the arrays: one statement serves a
//! whole batch.

/// Names the statements and numbers them, in the order in which a connection keeps them.
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $text:expr;)*) => {
        /// A statement.
        #[derive(Clone, Copy, Debug)]
        pub(crate) enum Sql {
            $($(#[$doc])* $name,)*
        }

        /// The texts, in the order of the names.
        pub(crate) const TEXTS: &[&str] = &[$($text,)*];
    };
}

statements! {
    /// Takes locks in the order given, and tells the time of the transaction.
    Lock = "SELECT floor(extract(epoch FROM now()) * 1000)::bigint,
                   count(pg_advisory_xact_lock(name))
            FROM unnest($1::bigint[]) AS name";
    /// Runs by their ids, and those that hold tokens, locked in order of id.
    HeldRuns = "SELECT run, scope, wake_at, parked, parent, body FROM runs
                WHERE run IN (
                    SELECT unnest($1::uuid[])
                    UNION
                    SELECT tokens.run FROM unnest($2::bigint[], $3::bytea[]) AS wanted (scope, token)
                    JOIN tokens ON tokens.scope = wanted.scope AND tokens.token = wanted.token)
                ORDER BY run FOR UPDATE OF runs";
    Runs = "SELECT run, scope, wake_at, parked, parent, body FROM runs
            WHERE run = ANY ($1)";
    ParentsOf = "SELECT run, scope, wake_at, parked, parent, body FROM runs
                 WHERE run IN (SELECT child.parent FROM runs AS child WHERE child.run = ANY ($1))";
    Frames = "SELECT frames.run, frames.first, frames.body
              FROM unnest($1::uuid[], $2::bigint[]) AS wanted (run, after)
              JOIN frames ON frames.run = wanted.run AND frames.first > wanted.after
              ORDER BY frames.run, frames.first";
    Tokens = "SELECT tokens.scope, tokens.token, tokens.body
              FROM unnest($1::bigint[], $2::bytea[]) AS wanted (scope, token)
              JOIN tokens ON tokens.scope = wanted.scope AND tokens.token = wanted.token";
    Keys = "SELECT keys.scope, keys.token, keys.key, keys.body
            FROM unnest($1::bigint[], $2::bytea[], $3::bytea[]) AS wanted (scope, token, key)
            JOIN keys ON keys.scope = wanted.scope AND keys.token = wanted.token
                     AND keys.key = wanted.key";
    KeysAfter = "SELECT key, body FROM keys WHERE scope = $1 AND token = $2
                 AND ($3::bytea IS NULL OR key > $3)
                 ORDER BY key LIMIT $4";
    /// Each is dealt with by one transaction: what another one has at hand is left to it.
    Forgets = "SELECT body FROM forgets
               WHERE scope = $1
               AND at <= coalesce($2::bigint, floor(extract(epoch FROM now()) * 1000)::bigint)
               ORDER BY at, token, which, name LIMIT $3 FOR UPDATE SKIP LOCKED";
    StartKeys = "SELECT start_keys.scope, start_keys.key, start_keys.body
                 FROM unnest($1::bigint[], $2::bytea[]) AS wanted (scope, key)
                 JOIN start_keys ON start_keys.scope = wanted.scope AND start_keys.key = wanted.key";
    Owed = "SELECT owed.scope, owed.parent, owed.child, owed.body
            FROM unnest($1::bigint[], $2::uuid[], $3::uuid[]) AS wanted (scope, parent, child)
            JOIN owed ON owed.scope = wanted.scope AND owed.parent = wanted.parent
                     AND owed.child = wanted.child";
    Chunks = "SELECT chunks.run, chunks.stream, chunks.body
              FROM unnest($1::uuid[], $2::bytea[]) AS wanted (run, stream)
              JOIN chunks ON chunks.run = wanted.run AND chunks.stream = wanted.stream";
    Mail = "SELECT mail.scope, mail.place, mail.token, mail.bytes, mail.until, mail.body
            FROM unnest($1::bigint[], $2::bytea[]) AS wanted (scope, token)
            JOIN mail ON mail.scope = wanted.scope AND mail.token = wanted.token
            ORDER BY mail.scope, mail.place";
    MailSize = "SELECT count(*), coalesce(sum(bytes), 0)::bigint, coalesce(max(place), 0)
                FROM mail WHERE scope = $1";
    MailSizeOfToken = "SELECT count(*), coalesce(sum(bytes), 0)::bigint, coalesce(max(place), 0)
                       FROM mail WHERE scope = $1 AND token = $2";
    ExpiredMail = "SELECT place FROM mail
                   WHERE scope = $1
                   AND until <= coalesce($2::bigint, floor(extract(epoch FROM now()) * 1000)::bigint)
                   ORDER BY until, place LIMIT $3";

    InsertRuns = "INSERT INTO runs (run, scope, wake_at, parked, parent, body)
                  SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::boolean[],
                                       $5::uuid[], $6::bytea[])";
    UpdateRuns = "UPDATE runs SET wake_at = new.wake_at, parked = new.parked, body = new.body
                  FROM unnest($1::uuid[], $2::bigint[], $3::boolean[], $4::bytea[])
                       AS new (run, wake_at, parked, body)
                  WHERE runs.run = new.run";
    /// Rows that are still as they are said to be, and the frames of those.
    WriteAhead = "WITH moved AS (
                      UPDATE runs SET wake_at = new.wake_at, parked = new.parked, body = new.body
                      FROM unnest($1::uuid[], $2::bytea[], $3::bigint[], $4::boolean[],
                                  $5::bytea[]) AS new (run, before, wake_at, parked, body)
                      WHERE runs.run = new.run AND runs.body = new.before
                      RETURNING runs.run),
                  added AS (
                      INSERT INTO frames (run, first, body)
                      SELECT frame.run, frame.first, frame.body
                      FROM unnest($6::uuid[], $7::bigint[], $8::bytea[])
                           AS frame (run, first, body)
                      WHERE frame.run IN (SELECT run FROM moved))
                  SELECT run, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint
                  FROM moved";
    InsertFrames = "INSERT INTO frames (run, first, body)
                    SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bytea[])";
    PutTokens = "INSERT INTO tokens (scope, token, run, chosen, body)
                 SELECT * FROM unnest($1::bigint[], $2::bytea[], $3::uuid[], $4::boolean[],
                                      $5::bytea[])
                 ON CONFLICT (scope, token) DO UPDATE
                 SET run = excluded.run, chosen = excluded.chosen, body = excluded.body";
    DropTokens = "DELETE FROM tokens USING unnest($1::bigint[], $2::bytea[]) AS gone (scope, token)
                  WHERE tokens.scope = gone.scope AND tokens.token = gone.token";
    PutKeys = "INSERT INTO keys (scope, token, key, body)
               SELECT * FROM unnest($1::bigint[], $2::bytea[], $3::bytea[], $4::bytea[])
               ON CONFLICT (scope, token, key) DO UPDATE SET body = excluded.body";
    DropKeys = "DELETE FROM keys
                USING unnest($1::bigint[], $2::bytea[], $3::bytea[]) AS gone (scope, token, key)
                WHERE keys.scope = gone.scope AND keys.token = gone.token AND keys.key = gone.key";
    PutForgets = "INSERT INTO forgets (scope, at, token, which, name, body)
                  SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::smallint[],
                                       $5::bytea[], $6::bytea[])
                  ON CONFLICT (scope, at, token, which, name) DO UPDATE SET body = excluded.body";
    DropForgets = "DELETE FROM forgets
                   USING unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::smallint[], $5::bytea[])
                         AS gone (scope, at, token, which, name)
                   WHERE forgets.scope = gone.scope AND forgets.at = gone.at
                   AND forgets.token = gone.token AND forgets.which = gone.which
                   AND forgets.name = gone.name";
    InsertStartKeys = "INSERT INTO start_keys (scope, key, body)
                       SELECT * FROM unnest($1::bigint[], $2::bytea[], $3::bytea[])";
    InsertOwed = "INSERT INTO owed (scope, parent, child, body)
                  SELECT * FROM unnest($1::bigint[], $2::uuid[], $3::uuid[], $4::bytea[])";
    DropOwed = "DELETE FROM owed
                USING unnest($1::bigint[], $2::uuid[], $3::uuid[]) AS gone (scope, parent, child)
                WHERE owed.scope = gone.scope AND owed.parent = gone.parent
                AND owed.child = gone.child";
    DropAllOwed = "DELETE FROM owed USING unnest($1::bigint[], $2::uuid[]) AS gone (scope, parent)
                   WHERE owed.scope = gone.scope AND owed.parent = gone.parent";
    InsertChunks = "INSERT INTO chunks (run, stream, body)
                    SELECT * FROM unnest($1::uuid[], $2::bytea[], $3::bytea[])";
    InsertMail = "INSERT INTO mail (scope, place, token, bytes, until, body)
                  SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::bigint[],
                                       $5::bigint[], $6::bytea[])";
    DropMail = "DELETE FROM mail USING unnest($1::bigint[], $2::bigint[]) AS gone (scope, place)
                WHERE mail.scope = gone.scope AND mail.place = gone.place";

    /// The first frame comes whatever its size; the others while those before them take no more
    /// than so many bytes.
    PageOfFrames = "SELECT first, body FROM (
                        SELECT first, body,
                               sum(octet_length(body)) OVER (ORDER BY first) - octet_length(body)
                               AS before
                        FROM (SELECT first, body FROM frames
                              WHERE run = $2 AND first > $3
                              AND EXISTS (SELECT FROM runs WHERE run = $2 AND scope = $1)
                              ORDER BY first LIMIT 1024) AS several) AS page
                    WHERE before <= $4 ORDER BY first";
    PageOfMail = "SELECT scope, place, token, bytes, until, body FROM mail
                  WHERE scope = $1 AND place > $2
                  AND until > coalesce($3::bigint, floor(extract(epoch FROM now()) * 1000)::bigint)
                  ORDER BY place LIMIT $4";
    /// The body only where the column does not say the time.
    Due = "SELECT wake_at, run, CASE WHEN wake_at = 9223372036854775807 THEN body END FROM runs
           WHERE scope = $1 AND wake_at IS NOT NULL
           AND (wake_at, run) > ($2, $3) AND wake_at <= $4
           ORDER BY wake_at, run LIMIT $5";
    Parked = "SELECT run, scope, wake_at, parked, parent, body FROM runs
              WHERE scope = $1 AND parked AND run > $2 ORDER BY run LIMIT $3";
    PageOfOwed = "SELECT child, body FROM (
                      SELECT child, body,
                             sum(octet_length(body)) OVER (ORDER BY child) - octet_length(body)
                             AS before
                      FROM owed WHERE scope = $1 AND parent = $2) AS page
                  WHERE before <= $3 ORDER BY child";
    OwedRuns = "SELECT DISTINCT parent FROM owed WHERE scope = $1 AND parent > $2
                ORDER BY parent LIMIT $3";
    Chunk = "SELECT chunks.body FROM runs JOIN chunks ON chunks.run = runs.run
             WHERE runs.scope = $1 AND runs.run = $2 AND chunks.stream = $3";
    ChosenTokens = "SELECT body FROM tokens
                    WHERE scope = $1 AND chosen AND token >= $2 AND token > $3 AND token < $4
                    ORDER BY token LIMIT $5";
    NewestRuns = "SELECT run, scope, wake_at, parked, parent, body FROM runs
                  WHERE scope = $1 AND run < $2 ORDER BY run DESC LIMIT $3";
    NewestChildren = "SELECT run, scope, wake_at, parked, parent, body FROM runs
                      WHERE scope = $1 AND run < $2 AND parent = $4 ORDER BY run DESC LIMIT $3";
    /// Nothing where another transaction makes it at this moment: then it is asked again.
    Scope = "WITH made AS (INSERT INTO scopes (project, environment) VALUES ($1, $2)
                           ON CONFLICT DO NOTHING RETURNING id)
             SELECT id FROM made
             UNION ALL
             SELECT id FROM scopes WHERE project = $1 AND environment = $2
             LIMIT 1";
    BeginSession = "INSERT INTO counts AS before (name, value) VALUES ('sessions_not_ended', 1)
                    ON CONFLICT (name) DO UPDATE SET value = before.value + 1
                    RETURNING value - 1";
    EndSession = "INSERT INTO counts (name, value) VALUES ('sessions_not_ended', 0)
                  ON CONFLICT (name) DO UPDATE SET value = 0 RETURNING value";
}
