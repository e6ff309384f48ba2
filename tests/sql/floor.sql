-- The database of the floor's own tests. Run by the superuser.
CREATE TABLE thing (
	id int PRIMARY KEY,
	council text NOT NULL DEFAULT 'one',
	nhs_number text CONSTRAINT carer_nhs_number_key UNIQUE,
	n int NOT NULL DEFAULT 0 CHECK (n >= 0));
ALTER TABLE thing ENABLE ROW LEVEL SECURITY;
CREATE POLICY council ON thing TO floor_council USING (council = ANY (current_setting('app.councils')::text[]));
CREATE POLICY partner ON thing TO floor_partner USING (id = 2);
GRANT SELECT, INSERT, UPDATE, DELETE ON thing TO floor_council, floor_partner;

CREATE FUNCTION refuse(code text, message text, hint text, detail text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION USING ERRCODE = code, MESSAGE = message, HINT = coalesce(hint, ''), DETAIL = coalesce(detail, '');
END
$$;

-- Refuses at COMMIT, with the SQLSTATE that was written into it.
CREATE TABLE late (code text);
GRANT INSERT ON late TO floor_council;
CREATE FUNCTION refuse_late() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION USING ERRCODE = NEW.code, MESSAGE = 'too late';
END
$$;
CREATE CONSTRAINT TRIGGER late AFTER INSERT ON late DEFERRABLE INITIALLY DEFERRED
	FOR EACH ROW EXECUTE FUNCTION refuse_late();
