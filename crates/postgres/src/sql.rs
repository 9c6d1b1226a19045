//! Every statement, by name. Each connection prepares all of them once, so that a request costs no
//! round trip for that, and the plans are made for good.
//!
//! Keys of rows come in as arrays, and are joined in the order of the arrays: one statement serves a
//! whole batch.

/// The time by the clock of a parameter, or where that is null, by the database's.
macro_rules! now {
    ($clock:literal) => {
        concat!(
            "coalesce(",
            $clock,
            "::bigint, floor(extract(epoch FROM now()) * 1000)::bigint)"
        )
    };
}

/// The node of the first parameter as `me`, if it lives and does not leave; nodes that lived until
/// `dead` are dead. For a while nobody is, where a server has just been started and has heard of nobody
/// yet, or where the node itself was taken for dead: whatever kept it from saying that it lives may
/// have kept others.
macro_rules! me {
    ($clock:literal) => {
        concat!(
            "WITH me AS (
                 SELECT id, scope, build, workflows, clock.now,
                        CASE WHEN clock.now < back_at + 3000 OR ",
            $clock,
            "::bigint IS NULL
                             AND now() < pg_postmaster_start_time() + interval '3 seconds'
                        THEN -1 ELSE clock.now END AS dead
                 FROM nodes, (SELECT ",
            now!($clock),
            " AS now) AS clock
                 WHERE id = $1 AND keeps IS NULL AND lives_until > clock.now)"
        )
    };
}

/// True where nobody but the node `me` has a run, if anybody. Asked of the row as it is once it is
/// locked: a join would have looked at it before that.
macro_rules! free {
    ($run:literal) => {
        concat!(
            "coalesce((SELECT holder.id = me.id OR holder.lives_until <= me.dead
                              OR NOT coalesce(",
            $run,
            ".run = ANY (holder.keeps), true)
                       FROM nodes AS holder WHERE holder.id = ",
            $run,
            ".node), true)"
        )
    };
}

/// True where the node that had a run died with it.
macro_rules! orphan {
    ($run:literal) => {
        concat!(
            "coalesce((SELECT holder.id <> me.id AND holder.lives_until <= me.dead
                              AND coalesce(",
            $run,
            ".run = ANY (holder.keeps), true)
                       FROM nodes AS holder WHERE holder.id = ",
            $run,
            ".node), false)"
        )
    };
}

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
    HeldRuns = "SELECT run, scope, node, workflow, wake_at, parked, parent, body FROM runs
                WHERE run IN (
                    SELECT unnest($1::uuid[])
                    UNION
                    SELECT tokens.run FROM unnest($2::bigint[], $3::bytea[]) AS wanted (scope, token)
                    JOIN tokens ON tokens.scope = wanted.scope AND tokens.token = wanted.token)
                ORDER BY run FOR UPDATE OF runs";
    Runs = "SELECT run, scope, node, workflow, wake_at, parked, parent, body FROM runs
            WHERE run = ANY ($1)";
    ParentsOf = "SELECT run, scope, node, workflow, wake_at, parked, parent, body FROM runs
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

    InsertRuns = "INSERT INTO runs (run, scope, node, workflow, wake_at, parked, parent, body)
                  SELECT run, scope, node, workflow, wake_at, parked::bytea[], parent, body
                  FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bytea[], $5::bigint[],
                              $6::text[], $7::uuid[], $8::bytea[])
                       AS new (run, scope, node, workflow, wake_at, parked, parent, body)";
    /// A node that nobody knows any more has nothing: claims look through those that are known.
    UpdateRuns = "UPDATE runs SET node = coalesce(nodes.id, 0), workflow = new.workflow,
                      wake_at = new.wake_at, parked = new.parked::bytea[], body = new.body
                  FROM unnest($1::uuid[], $2::bigint[], $3::bytea[], $4::bigint[], $5::text[],
                              $6::bytea[]) AS new (run, node, workflow, wake_at, parked, body)
                  LEFT JOIN nodes ON nodes.id = new.node
                  WHERE runs.run = new.run";
    /// Rows that are still as they are said to be, each with a frame or none, and further frames of those.
    /// A frame that comes along is joined with nothing, as those further on are with every row. A lease that
    /// stays with a node that nobody knows any more ends here, too.
    WriteAhead = "WITH moved AS (
                      UPDATE runs SET
                          node = CASE WHEN new.node = new.node_before
                                      AND new.node <> ALL (ARRAY(
                                          SELECT nodes.id FROM nodes WHERE nodes.id = ANY ($4)))
                                 THEN 0 ELSE new.node END,
                          workflow = new.workflow, wake_at = new.wake_at, parked = new.parked::bytea[], body = new.body
                      FROM unnest($1::uuid[], $2::bigint[], $3::bytea[], $4::bigint[],
                                  $5::bytea[], $6::bigint[], $7::text[], $8::bytea[],
                                  $9::bigint[], $10::bytea[])
                           AS new (run, node_before, before, node, workflow, wake_at, parked, body,
                                   first, frame)
                      WHERE runs.run = new.run AND runs.body = new.before
                      AND runs.node = new.node_before
                      RETURNING runs.run, new.first, new.frame),
                  added AS (
                      INSERT INTO frames (run, first, body)
                      SELECT run, first, frame FROM moved WHERE first IS NOT NULL
                      UNION ALL
                      SELECT more.run, more.first, more.body
                      FROM unnest($11::uuid[], $12::bigint[], $13::bytea[])
                           AS more (run, first, body)
                      WHERE more.run IN (SELECT run FROM moved))
                  SELECT array_agg(run), floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint
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
    Parked = "SELECT run, scope, node, workflow, wake_at, parked, parent, body FROM runs
              WHERE scope = $1 AND parked IS NOT NULL AND run > $2 ORDER BY run LIMIT $3";
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
    NewestRuns = "SELECT run, scope, node, workflow, wake_at, parked, parent, body FROM runs
                  WHERE scope = $1 AND run < $2 ORDER BY run DESC LIMIT $3";
    NewestChildren = "SELECT run, scope, node, workflow, wake_at, parked, parent, body FROM runs
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

    Join = concat!("INSERT INTO nodes (scope, name, build, workflows, lives_until)
            VALUES ($1, $2, $3, $4, ", now!("$5"), " + $6)
            RETURNING id, lives_until - $6");
    /// Nothing for a node that nobody knows or that is gone.
    Beat = concat!("WITH clock AS (
                SELECT ", now!("$2"), " AS now),
            before AS (
                SELECT id, lives_until FROM nodes
                WHERE id = $1 AND (keeps IS NULL OR keeps <> '{}') FOR UPDATE)
            UPDATE nodes SET lives_until = clock.now + $3,
                back_at = CASE WHEN before.lives_until > clock.now THEN back_at ELSE clock.now END
            FROM clock, before
            WHERE nodes.id = before.id
            RETURNING before.lives_until > clock.now, clock.now");
    /// What it keeps becomes less each time.
    Leave = concat!("UPDATE nodes SET
                 lives_until = $3 + ", now!("$2"), ",
                 keeps = ARRAY(SELECT run FROM unnest($4::uuid[]) AS run
                               WHERE nodes.keeps IS NULL OR run = ANY (nodes.keeps))
             WHERE id = $1
             RETURNING scope, keeps = '{}', pg_notify($5::text || 'all_' || scope, '')");
    /// What is due of each node that does not hold it, in order of time. `free` are nobody and those
    /// nodes that are dead or leave; a row of a dead one is an orphan, unless the node had given it up.
    ClaimDue = concat!(me!("$4"), ",
                free AS (
                    SELECT 0::bigint AS node, true AS lives, '{}'::uuid[] AS keeps
                    UNION ALL
                    SELECT other.id, other.lives_until > me.dead, other.keeps
                    FROM me JOIN nodes AS other ON other.scope = me.scope
                    WHERE other.keeps IS NOT NULL OR other.lives_until <= me.dead),
                picked AS (
                    SELECT cold.run,
                           NOT free.lives AND (free.keeps IS NULL OR cold.run = ANY (free.keeps))
                           AS orphaned
                    FROM me CROSS JOIN free CROSS JOIN LATERAL (
                        SELECT runs.run, runs.wake_at FROM runs
                        WHERE runs.scope = me.scope AND runs.node = free.node
                        AND runs.wake_at <= greatest($2, me.now)
                        AND (runs.workflow = '' OR runs.workflow = ANY (me.workflows))
                        AND NOT (free.lives AND runs.run = ANY (free.keeps))
                        ORDER BY runs.wake_at, runs.run LIMIT $3
                        FOR UPDATE SKIP LOCKED) AS cold
                    ORDER BY cold.wake_at, cold.run LIMIT $3)
                UPDATE runs SET node = $1 FROM picked WHERE runs.run = picked.run
                RETURNING runs.run, runs.body, picked.orphaned");
    /// What is parked, and not by the node's build.
    ClaimParked = concat!(me!("$3"), ",
                   picked AS (
                       SELECT runs.run, ", orphan!("runs"), " AS orphaned
                       FROM me JOIN runs ON runs.scope = me.scope
                       WHERE runs.parked IS NOT NULL AND me.build <> ALL (runs.parked)
                       AND runs.workflow = ANY (me.workflows)
                       AND runs.node <> me.id AND ", free!("runs"), "
                       ORDER BY runs.run LIMIT $2
                       FOR UPDATE OF runs SKIP LOCKED)
                   UPDATE runs SET node = $1 FROM picked WHERE runs.run = picked.run
                   RETURNING runs.run, runs.body, picked.orphaned");
    /// What is owed something and not parked.
    ClaimOwed = concat!(me!("$3"), ",
                 picked AS (
                     SELECT runs.run, ", orphan!("runs"), " AS orphaned
                     FROM me CROSS JOIN LATERAL (
                         SELECT DISTINCT owed.parent FROM owed WHERE owed.scope = me.scope) AS owes
                     JOIN runs ON runs.run = owes.parent AND runs.scope = me.scope
                     WHERE runs.parked IS NULL AND runs.workflow = ANY (me.workflows)
                     AND runs.node <> me.id AND ", free!("runs"), "
                     ORDER BY runs.run LIMIT $2
                     FOR UPDATE OF runs SKIP LOCKED)
                 UPDATE runs SET node = $1 FROM picked WHERE runs.run = picked.run
                 RETURNING runs.run, runs.body, picked.orphaned");
    /// What the node has already of these two kinds.
    FoundAgain = concat!(me!("$3"), "
                  (SELECT runs.run, runs.body, false
                   FROM me JOIN runs ON runs.scope = me.scope
                   WHERE runs.parked IS NOT NULL AND me.build <> ALL (runs.parked)
                   AND runs.workflow = ANY (me.workflows) AND runs.node = me.id
                   ORDER BY runs.run LIMIT $2)
                  UNION ALL
                  (SELECT runs.run, runs.body, false
                   FROM me CROSS JOIN LATERAL (
                       SELECT DISTINCT owed.parent FROM owed WHERE owed.scope = me.scope) AS owes
                   JOIN runs ON runs.run = owes.parent AND runs.scope = me.scope
                   WHERE runs.parked IS NULL AND runs.workflow = ANY (me.workflows)
                   AND runs.node = me.id
                   ORDER BY runs.run LIMIT $2)");
    /// Whose the run is: looked at under its lock.
    Lease = concat!(me!("$3"), ",
             held AS (
                 SELECT runs.run, runs.node FROM runs JOIN me ON runs.scope = me.scope
                 WHERE runs.run = $2 FOR UPDATE OF runs),
             own AS (
                 SELECT held.run, held.node, ", orphan!("held"), " AS orphaned
                 FROM held CROSS JOIN me WHERE ", free!("held"), "),
             taken AS (
                 UPDATE runs SET node = $1 FROM own
                 WHERE runs.run = own.run AND own.node <> $1)
             SELECT orphaned FROM own");
    /// The project as a value of its own, so that the index gives the order.
    Leased = "SELECT wake_at, run, body FROM runs
              WHERE scope = (SELECT nodes.scope FROM nodes WHERE nodes.id = $1) AND node = $1
              AND wake_at IS NOT NULL AND (wake_at, run) > ($2, $3) AND wake_at <= $4
              ORDER BY wake_at, run LIMIT $5";
    /// Who lives and has each run; nobody where it is null. Those that are not this process's are told,
    /// all of the project where nobody has the run.
    Tell = concat!("SELECT told.place, told.node,
                   CASE WHEN told.node = ANY ($6::bigint[]) THEN NULL
                   WHEN told.node IS NULL THEN pg_notify($7::text || 'all_' || told.scope, '')
                   ELSE pg_notify($7::text || told.node, told.payload) END
            FROM (SELECT wanted.place, wanted.scope, wanted.payload, holder.id AS node
                  FROM unnest($1::bigint[], $2::uuid[], $3::bigint[], $4::text[])
                       WITH ORDINALITY AS wanted (scope, run, node, payload, place)
                  LEFT JOIN runs ON wanted.node IS NULL AND runs.run = wanted.run
                  LEFT JOIN nodes AS holder
                       ON holder.id = coalesce(wanted.node, runs.node)
                       AND holder.lives_until > ", now!("$5"), "
                       AND (holder.keeps IS NULL OR wanted.run = ANY (holder.keeps))) AS told");
    /// Sleepers of nodes that are dead for long become nobody's, and so does what is leased to a node
    /// that nobody knows. By skipping from one node to the next, each costs one look.
    DisownSleepers = "WITH RECURSIVE holders (node) AS (
                          (SELECT node FROM runs WHERE scope = $1 AND wake_at IS NOT NULL AND node > 0
                           ORDER BY node LIMIT 1)
                          UNION ALL
                          SELECT (SELECT runs.node FROM runs
                                  WHERE runs.scope = $1 AND runs.wake_at IS NOT NULL
                                  AND runs.node > holders.node
                                  ORDER BY runs.node LIMIT 1)
                          FROM holders WHERE holders.node IS NOT NULL),
                      gone AS (
                          SELECT holders.node, nodes.id IS NULL AS unknown
                          FROM holders LEFT JOIN nodes ON nodes.id = holders.node
                          WHERE holders.node IS NOT NULL
                          AND (nodes.id IS NULL OR nodes.lives_until < $2)),
                      picked AS (
                          SELECT asleep.run
                          FROM gone CROSS JOIN LATERAL (
                              SELECT runs.run FROM runs
                              WHERE runs.scope = $1 AND runs.node = gone.node
                              AND runs.wake_at > CASE WHEN gone.unknown THEN -1 ELSE $3::bigint END
                              ORDER BY runs.wake_at LIMIT $4
                              FOR UPDATE SKIP LOCKED) AS asleep
                          LIMIT $4)
                      UPDATE runs SET node = 0 FROM picked WHERE runs.run = picked.run";
    ForgetNodes = "DELETE FROM nodes
                   WHERE scope = $1 AND lives_until < $2
                   AND NOT EXISTS (SELECT FROM runs
                                   WHERE runs.scope = nodes.scope AND runs.node = nodes.id
                                   AND runs.wake_at IS NOT NULL)";
}
