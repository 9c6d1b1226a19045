//! A database that fails as it is told to.

use rewake_postgres::private_server::Database;

/// Lets the first so many transactions that add a frame fail with a code when they commit. What a
/// sequence has counted stays counted.
pub(crate) fn fail_at_commit(database: &Database, code: &str, times: u32) {
    let condition = format!("nextval('public.met') <= {times}");
    let made = "EXECUTE format('CREATE CONSTRAINT TRIGGER failing AFTER INSERT ON %s
                    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
                    EXECUTE FUNCTION public.fail()', held);";
    fail(database, code, &condition, made);
}

/// Lets every transaction fail with a code when it adds a frame for which a condition holds.
pub(crate) fn fail_in_the_middle(database: &Database, code: &str, condition: &str) {
    let made = "EXECUTE format('CREATE TRIGGER failing AFTER INSERT ON %s FOR EACH ROW
                    EXECUTE FUNCTION public.fail()', held);";
    fail(database, code, condition, made);
}

fn fail(database: &Database, code: &str, condition: &str, made: &str) {
    let sql = format!(
        "CREATE SEQUENCE public.met;
         CREATE FUNCTION public.fail() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN
             IF {condition} THEN
                 RAISE EXCEPTION 'told to fail' USING ERRCODE = '{code}';
             END IF;
             RETURN NULL;
         END
         $$;
         DO $$
         DECLARE held regclass;
         BEGIN
             FOR held IN SELECT inhrelid FROM pg_inherits
                         WHERE inhparent = 'rewake.frames'::regclass
             LOOP
                 {made}
             END LOOP;
         END
         $$;"
    );
    database.query(&sql).unwrap();
}

/// Lets everything succeed again.
pub(crate) fn mend(database: &Database) {
    let sql = "DROP FUNCTION public.fail() CASCADE; DROP SEQUENCE public.met;";
    database.query(sql).unwrap();
}
