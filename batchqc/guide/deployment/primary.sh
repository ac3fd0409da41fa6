#!/bin/sh
# Run once, by the image of PostgreSQL, when the primary is made: the roles of servers and standby.
# What is set up before the standby is there does not wait for it: see PGOPTIONS in the compose file.
set -eu
psql -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d "$POSTGRES_DB" \
  -v runtime="$(cat /run/secrets/runtime_password)" \
  -v standby="$(cat /run/secrets/standby_password)" <<'SQL'
CREATE ROLE batchqc_runtime LOGIN PASSWORD :'runtime';
CREATE ROLE batchqc_standby LOGIN REPLICATION PASSWORD :'standby';
SQL
echo "host replication batchqc_standby all scram-sha-256" >> "$PGDATA/pg_hba.conf"
