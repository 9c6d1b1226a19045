-- Cuts the connection of the first transaction that adds a frame or a chunk, in the middle of its
-- commit. What a sequence has counted stays counted, so it is that one and no other.

CREATE SEQUENCE public.commits;

CREATE FUNCTION public.cut_the_first() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF nextval('public.commits') = 1 THEN
        PERFORM pg_terminate_backend(pg_backend_pid());
    END IF;
    RETURN NULL;
END
$$;

DO $$
DECLARE held regclass;
BEGIN
    FOR held IN
        SELECT inhrelid FROM pg_inherits WHERE inhparent = 'rewake.frames'::regclass
        UNION SELECT 'rewake.chunks'::regclass
    LOOP
        EXECUTE format('CREATE CONSTRAINT TRIGGER cut AFTER INSERT ON %s
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
            EXECUTE FUNCTION public.cut_the_first()', held);
    END LOOP;
END
$$;
