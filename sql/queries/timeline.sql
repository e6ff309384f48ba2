-- The timeline of a carer: what the caller may learn of, newest first, along event_by_carer.

-- `kind`: one kind, or a family of them, or NULL. No row: no such carer for this caller. What the policy would hide for want of
-- a consent is passed over before it is asked, so that a long timeline of other organisations' doings costs little. (Sub-selects
-- make parameters: a condition that costs more than ten comparisons would come after the policy.) What is the same for many
-- entries is worked out once, and the cursor of the last one only.
-- name: timeline(carer_id, limit, cursor, kind, since)
WITH whose AS MATERIALIZED (
    SELECT c.id, c.council FROM carer c WHERE c.id = $1::uuid),
wanted AS MATERIALIZED (
    SELECT k.kinds, k.plain FROM timeline_kinds($1::uuid, $4) AS k),
found AS MATERIALIZED (
    SELECT e.*
      FROM cursor_earlier($3) AS c
     CROSS JOIN LATERAL (
        SELECT e.id, e.at, e.carer_id, e.kind, e.resource_id, e.version, e.state, e.summary, e.actor, e.role,
               e.organisation_id
          FROM event e
         WHERE e.carer_id = $1::uuid AND (e.at, e.id) < (c.at, c.id) AND e.at >= coalesce($5::timestamptz, '-infinity')
           AND e.kind = ANY ((SELECT w.kinds FROM wanted w)::text[])
           AND (e.kind = ANY ((SELECT w.plain FROM wanted w)::text[]) OR e.organisation_id = (SELECT app_org()))
         ORDER BY e.at DESC, e.id DESC
         LIMIT $2::integer + 1) AS e),
organisations AS MATERIALIZED (
    SELECT o.id, organisation_name(o.id) AS name
      FROM (SELECT DISTINCT f.organisation_id AS id FROM found f WHERE f.organisation_id IS NOT NULL) AS o),
kinds AS MATERIALIZED (
    SELECT k.kind, k.path, member('kind', k.kind) AS member, concat(',"resource":{"type":', to_json(k.resource), ',"id":"') AS resource
      FROM event_kind k
     WHERE k.kind IN (SELECT f.kind FROM found f)),
page AS MATERIALIZED (
    SELECT f.at, f.id, concat(
               '{"at":"', instant(f.at), '"',
               k.member,
               member('summary', f.summary),
               ',"actor":{"role":' || to_json(nullif(f.role, '')) || concat(
                   ',"organisation":{"id":"' || f.organisation_id || '"' || concat(member('name', o.name), '}'),
                   CASE WHEN current_user = 'carers_council' THEN member('subject', f.actor) END, '}'),
               k.resource, f.resource_id, '"',
               member('href', format(k.path, f.carer_id, f.resource_id)), '}',
               ',"version":' || f.version,
               member('state', f.state),
               '}') AS body
      FROM (SELECT f.* FROM found f ORDER BY f.at DESC, f.id DESC LIMIT $2::integer) AS f
      JOIN kinds k ON k.kind = f.kind
      LEFT JOIN organisations o ON o.id = f.organisation_id),
noted AS (
    INSERT INTO audit_entry (council, carer_ids) SELECT w.council, ARRAY[w.id] FROM whose w)
SELECT page_body((SELECT string_agg(p.body, ',' ORDER BY p.at DESC, p.id DESC) FROM page p), n.next_cursor) AS body,
       n.next_cursor
  FROM whose w
 CROSS JOIN (SELECT CASE WHEN count(*) > $2::integer
                         THEN (SELECT cursor_of(l.at, l.id)
                                 FROM (SELECT f.at, f.id
                                         FROM found f ORDER BY f.at DESC, f.id DESC OFFSET $2::integer - 1 LIMIT 1) AS l)
                    END AS next_cursor
               FROM found f) AS n;
