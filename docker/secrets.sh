#!/bin/sh
# Makes what docker/compose.yaml reads as secrets, once: passwords of PostgreSQL's roles, and the passfiles that hold them.
# As root: each file belongs to the user of the container that reads it (999: PostgreSQL; 10001: the service), and to it alone.
# secrets.sh [FOLDER]
set -eu
folder="${1:-$(dirname "$0")/secrets}"
[ ! -e "$folder/roles.sql" ] || {
	echo "secrets.sh: $folder has its secrets; a database that was made with them knows no others" >&2
	exit 1
}
[ "$(id -u)" -eq 0 ] || {
	echo "secrets.sh: as root, please: the files are given to the containers' users" >&2
	exit 1
}
umask 077
mkdir -p "$folder"
chmod 0711 "$folder"
word() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
owner="$(word)" service="$(word)"

word >"$folder/postgres.password"
cat >"$folder/roles.sql" <<SQL
CREATE ROLE carers_owner LOGIN CREATEROLE PASSWORD '$owner';
CREATE ROLE carers_service LOGIN NOINHERIT PASSWORD '$service';
CREATE DATABASE carers OWNER carers_owner TEMPLATE template0;
SQL
echo "database:5432:carers:carers_owner:$owner" >"$folder/owner.pgpass"
echo "database:5432:carers:carers_service:$service" >"$folder/service.pgpass"
[ -e "$folder/jwks.json" ] || echo '{"keys": []}' >"$folder/jwks.json"
chown 999:999 "$folder/postgres.password" "$folder/roles.sql"
chown 10001:10001 "$folder/owner.pgpass" "$folder/service.pgpass" "$folder/jwks.json"
chmod 0400 "$folder/postgres.password" "$folder/roles.sql" "$folder/owner.pgpass" "$folder/service.pgpass" "$folder/jwks.json"
