#!/bin/sh
# The standby: a copy of the primary when it is made, and what the primary writes from then on.
set -eu
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  export PGPASSWORD="$(cat /run/secrets/standby_password)"
  install -d -m 0700 "$PGDATA"
  pg_basebackup --pgdata "$PGDATA" --write-recovery-conf --wal-method stream --checkpoint fast \
    --dbname "host=primary user=batchqc_standby application_name=standby"
fi
exec postgres -c hot_standby=on
