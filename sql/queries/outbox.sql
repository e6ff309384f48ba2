-- What the dispatcher of webhooks asks, as the service itself.

-- name: webhook_claim(at_once, of_each, lease_ms)
SELECT c.delivery_id, c.attempt, c.round, c.url, c.message_id, c.body, c.secret, c.previous
  FROM webhook_claim($1::integer, $2::integer, $3::integer) AS c;

-- name: webhook_finish(delivery_id, attempt, outcome, status, took_ms, retry_ms, give_up_s)
SELECT webhook_finish($1::uuid, $2::integer, $3, $4::integer, $5::integer, $6::bigint, $7::integer);
