-- PostgreSQL 15: the role that changes other roles' passwords.
-- Run once as a superuser (or the managed service's admin role):
--   psql -f postgresql_15.sql
--   \password rotator          hashes on your side: the password is neither sent nor logged in the clear
-- then put that password into Bitwarden, as the entry of your admin says.
--
-- Know what this grants: up to 15, CREATEROLE may change EVERY role that is no superuser, named below or not.
-- Nothing narrower can change a password here; PostgreSQL 16 can (postgresql_16.sql). Keep this role's secret
-- in a Bitwarden project that only the rotation reads.

CREATE ROLE rotator LOGIN CREATEROLE NOINHERIT;

-- Not needed on 15. Have it before the upgrade to 16, where the rotator changes nobody without it.
-- One line for each role that is rotated:
-- GRANT app TO rotator WITH ADMIN OPTION;

-- Only where PUBLIC may not connect to the database that the entry names (target.dbname):
-- GRANT CONNECT ON DATABASE warehouse TO rotator;

-- Only where old sessions are to be ended (revoking after a compromise):
-- GRANT pg_signal_backend TO rotator;

-- Only where clients and ages of sessions are to be told; without it, how many of which application:
-- GRANT pg_read_all_stats TO rotator;
