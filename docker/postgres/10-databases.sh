#!/bin/bash
# Run once by the Postgres image, on an empty volume: one role and one database for each of the two
# programs, so that neither can read the other's tables and neither is a superuser.
set -euo pipefail

psql --set ON_ERROR_STOP=1 --quiet --username "$POSTGRES_USER" --dbname postgres \
    --set rounds_password="$ROUNDS_POSTGRES_PASSWORD" \
    --set argilla_password="$ARGILLA_POSTGRES_PASSWORD" <<'SQL'
CREATE ROLE rounds LOGIN PASSWORD :'rounds_password';
CREATE ROLE argilla LOGIN PASSWORD :'argilla_password';
CREATE DATABASE rounds OWNER rounds TEMPLATE template0 ENCODING 'UTF8';
CREATE DATABASE argilla OWNER argilla TEMPLATE template0 ENCODING 'UTF8';
REVOKE CONNECT, TEMPORARY ON DATABASE rounds FROM PUBLIC;
REVOKE CONNECT, TEMPORARY ON DATABASE argilla FROM PUBLIC;
SQL
