-- Files of leaflets: a PDF each, seen by whoever sees its leaflet.

CREATE TABLE leaflet_file (
    leaflet_id uuid PRIMARY KEY REFERENCES leaflet,
    bytes bytea CHECK (octet_length(bytes) BETWEEN 1 AND 5242880)
);
ALTER TABLE leaflet_file ALTER COLUMN bytes SET STORAGE EXTERNAL;
COMMENT ON TABLE leaflet_file IS
    'The PDF of a leaflet. Its size and SHA-256 stand in leaflet, whose version, audit row and editors are the file''s, too';
COMMENT ON COLUMN leaflet_file.bytes IS 'As it was uploaded; NULL: thrown away. Not compressed: a PDF is, and pieces of it are read without the rest';
ALTER TABLE leaflet_file ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON leaflet_file TO carers_caller;
GRANT INSERT (leaflet_id, bytes), UPDATE (bytes) ON leaflet_file TO carers_council, carers_desk;
-- What the caller may see of leaflet is for its own policies to say.
CREATE POLICY leaflet_file_read ON leaflet_file FOR SELECT TO carers_caller
    USING (EXISTS (SELECT FROM leaflet l WHERE l.id = leaflet_id));
CREATE POLICY leaflet_file_make ON leaflet_file FOR INSERT TO carers_council, carers_desk
    WITH CHECK (EXISTS (SELECT FROM leaflet l WHERE l.id = leaflet_id AND directory_side(l.council, l.organisation_id) IS NOT NULL));
CREATE POLICY leaflet_file_change ON leaflet_file FOR UPDATE TO carers_council, carers_desk
    USING (EXISTS (SELECT FROM leaflet l WHERE l.id = leaflet_id AND directory_side(l.council, l.organisation_id) IS NOT NULL));
