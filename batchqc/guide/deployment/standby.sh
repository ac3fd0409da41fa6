#!/bin/sh
# The standby: a copy of the primary when it is made, and what the primary writes from then on.
# Once it is promoted, it waits for a standby of its own, as the primary did for it.
# PRIMARY: whom it follows. STANDBYS: whom it waits for; blank is nobody, where no other one is left.
set -eu
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  export PGPASSWORD="$(cat /run/secrets/standby_password)"
  install -d -m 0700 "$PGDATA"
  pg_basebackup --pgdata "$PGDATA" --write-recovery-conf --wal-method stream --checkpoint fast \
    --dbname "host=${PRIMARY:-primary} user=batchqc_standby application_name=standby"
fi
exec postgres -c hot_standby=on -c "synchronous_standby_names=${STANDBYS-FIRST 1 (standby)}" \
  -c synchronous_commit=on -c wal_level=replica -c max_wal_senders=4
