-- The feed of changes, one query a class of caller, in order of (era, txid, id): a row is handed out only when every
-- transaction at or before its own has ended, so that nothing can appear behind a position that was given out. Each walks
-- one row further than its page, and also over rows that are not settled yet: they come last, and tell that there will be more
-- soon. When nothing settled is left the position moves on to where everything is settled.

-- name: changes_of_councils(after, limit)
WITH span AS MATERIALIZED (
    SELECT s.* FROM change_span($1) AS s),
walked AS MATERIALIZED (
    SELECT f.*, (f.era, f.txid) < (s.settled_era, s.settled_txid) AS settled
      FROM span s
     CROSS JOIN (SELECT DISTINCT unnest(app_councils()) AS council) AS c
     CROSS JOIN LATERAL (
        SELECT e.era, e.txid, e.id, e.at, e.carer_id, e.kind, e.resource_id, e.version, e.state
          FROM event e
         WHERE e.council = c.council AND (e.era, e.txid, e.id) > (s.era, s.txid, s.id)
         ORDER BY e.era, e.txid, e.id
         LIMIT $2::integer + 1) AS f
     ORDER BY f.era, f.txid, f.id
     LIMIT $2::integer + 1),
page AS MATERIALIZED (
    SELECT w.era, w.txid, w.id,
           change_item(w.at, w.kind, k.change, k.resource, w.resource_id, w.carer_id, k.path, w.version, w.state) AS item
      FROM (SELECT w.* FROM walked w WHERE w.settled ORDER BY w.era, w.txid, w.id LIMIT $2::integer) AS w
      JOIN event_kind k ON k.kind = w.kind),
ended AS (
    SELECT (SELECT count(*) FROM walked w WHERE w.settled) > $2::integer AS more,
           EXISTS (SELECT FROM walked w WHERE NOT w.settled) AS soon)
SELECT change_body((SELECT string_agg(p.item, ',' ORDER BY p.era, p.txid, p.id) FROM page p), t.next_after, n.more, n.soon)
           AS body,
       CASE WHEN n.more THEN t.next_after END AS next_after
  FROM ended n
 CROSS JOIN LATERAL (
    SELECT CASE WHEN n.more THEN (SELECT change_position(p.era, p.txid, p.id)
                                    FROM page p ORDER BY p.era DESC, p.txid DESC, p.id DESC LIMIT 1)
                ELSE (SELECT change_position(s.settled_era, s.settled_txid, 0) FROM span s) END AS next_after) AS t;

-- From event_organisation, because an organisation may have ten carers among a million. It holds rows of carers whom the
-- organisation may not see any more, and of what it may not learn without a consent: a page passes over 1,000 of them at most,
-- and then holds less than the limit although there is more. What was noted after this transaction began is not settled either,
-- nor what comes behind it: by the transaction's clock an access of which it tells may not have begun, or ended, and would be
-- passed over.
-- name: changes_of_organisation(after, limit)
WITH span AS MATERIALIZED (
    SELECT s.*, greatest($2::integer + 1, 1000) AS walk FROM change_span($1) AS s),
walked AS MATERIALIZED (
    SELECT f.era, f.txid, f.id, f.at, f.carer_id, f.gone, b.below, b.below AND f.past AS settled
      FROM span s
     CROSS JOIN LATERAL (
        SELECT w.*, bool_and(w.noted_at <= now()) OVER (ORDER BY w.era, w.txid, w.id ROWS UNBOUNDED PRECEDING) AS past
          FROM (SELECT o.era, o.txid, o.id, o.at, o.carer_id, o.gone, o.noted_at
                  FROM event_organisation o
                 WHERE o.organisation_id = app_org() AND (o.era, o.txid, o.id) > (s.era, s.txid, s.id)
                 ORDER BY o.era, o.txid, o.id
                 LIMIT s.walk) AS w) AS f
     CROSS JOIN LATERAL (SELECT (f.era, f.txid) < (s.settled_era, s.settled_txid) AS below) AS b),
found AS MATERIALIZED (
    SELECT w.era, w.txid, w.id, i.item
      FROM (SELECT w.* FROM walked w WHERE w.settled ORDER BY w.era, w.txid, w.id) AS w
     CROSS JOIN LATERAL (
        SELECT change_item(e.at, e.kind, k.change, k.resource, e.resource_id, e.carer_id, k.path, e.version, e.state)
          FROM event e
          JOIN event_kind k ON k.kind = e.kind
         WHERE e.id = w.id
         UNION ALL
        SELECT change_item(w.at, 'access.ended', 'delete', 'carer', w.carer_id, w.carer_id, '/v1/carers/%1$s', NULL, NULL)
         WHERE w.gone AND NOT EXISTS (SELECT FROM carer_access a
                                       WHERE a.organisation_id = app_org() AND a.carer_id = w.carer_id
                                         AND in_force(a.starts_at, a.ends_at))) AS i(item)
     ORDER BY w.era, w.txid, w.id
     LIMIT $2::integer + 1),
page AS MATERIALIZED (
    SELECT f.* FROM found f ORDER BY f.era, f.txid, f.id LIMIT $2::integer),
ended AS (
    SELECT (SELECT count(*) FROM found) > $2::integer AS full_page,
           (SELECT count(*) FROM walked w WHERE w.settled) = (SELECT s.walk FROM span s) AS walked_out,
           EXISTS (SELECT FROM walked w WHERE NOT w.settled) AS soon)
SELECT change_body((SELECT string_agg(p.item, ',' ORDER BY p.era, p.txid, p.id) FROM page p), t.next_after,
                   n.full_page OR n.walked_out, n.soon) AS body,
       CASE WHEN n.full_page OR n.walked_out THEN t.next_after END AS next_after
  FROM ended n
 CROSS JOIN LATERAL (
    SELECT CASE WHEN n.full_page THEN (SELECT change_position(p.era, p.txid, p.id)
                                         FROM page p ORDER BY p.era DESC, p.txid DESC, p.id DESC LIMIT 1)
                WHEN n.walked_out THEN (SELECT change_position(w.era, w.txid, w.id)
                                          FROM walked w ORDER BY w.era DESC, w.txid DESC, w.id DESC LIMIT 1)
                ELSE coalesce((SELECT change_position(w.era, w.txid, w.id - 1)
                                 FROM walked w WHERE w.below AND NOT w.settled ORDER BY w.era, w.txid, w.id LIMIT 1),
                              (SELECT change_position(s.settled_era, s.settled_txid, 0) FROM span s)) END AS next_after) AS t;

-- name: changes_of_self(after, limit)
WITH span AS MATERIALIZED (
    SELECT s.* FROM change_span($1) AS s),
walked AS MATERIALIZED (
    SELECT f.*, (f.era, f.txid) < (s.settled_era, s.settled_txid) AS settled
      FROM span s
     CROSS JOIN LATERAL (
        SELECT e.era, e.txid, e.id, e.at, e.carer_id, e.kind, e.resource_id, e.version, e.state
          FROM event e
         WHERE e.carer_id = app_carer() AND (e.era, e.txid, e.id) > (s.era, s.txid, s.id)
         ORDER BY e.era, e.txid, e.id
         LIMIT $2::integer + 1) AS f),
page AS MATERIALIZED (
    SELECT w.era, w.txid, w.id,
           change_item(w.at, w.kind, k.change, k.resource, w.resource_id, w.carer_id, k.path, w.version, w.state) AS item
      FROM (SELECT w.* FROM walked w WHERE w.settled ORDER BY w.era, w.txid, w.id LIMIT $2::integer) AS w
      JOIN event_kind k ON k.kind = w.kind),
ended AS (
    SELECT (SELECT count(*) FROM walked w WHERE w.settled) > $2::integer AS more,
           EXISTS (SELECT FROM walked w WHERE NOT w.settled) AS soon)
SELECT change_body((SELECT string_agg(p.item, ',' ORDER BY p.era, p.txid, p.id) FROM page p), t.next_after, n.more, n.soon)
           AS body,
       CASE WHEN n.more THEN t.next_after END AS next_after
  FROM ended n
 CROSS JOIN LATERAL (
    SELECT CASE WHEN n.more THEN (SELECT change_position(p.era, p.txid, p.id)
                                    FROM page p ORDER BY p.era DESC, p.txid DESC, p.id DESC LIMIT 1)
                ELSE (SELECT change_position(s.settled_era, s.settled_txid, 0) FROM span s) END AS next_after) AS t;
