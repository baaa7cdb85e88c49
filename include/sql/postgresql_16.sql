-- PostgreSQL 16 and newer: the role that changes other roles' passwords.
-- Run once as a superuser (or the managed service's admin role):
--   psql -f postgresql_16.sql
--   \password rotator          hashes on your side: the password is neither sent nor logged in the clear
-- then put that password into Bitwarden, as the entry of your admin says.
--
-- Both are needed: since 16 CREATEROLE alone changes no other role, and neither does ADMIN OPTION alone.
-- A role that is not granted below, and every superuser, stays out of its reach.
-- What it can do all the same: create roles, and grant itself what it has ADMIN OPTION on. Whoever holds its
-- password holds the roles below, so keep that secret in a Bitwarden project that only the rotation reads.

CREATE ROLE rotator LOGIN CREATEROLE;

-- One line for each role that is rotated. INHERIT and SET stay off, so that no right of the role is in use:
-- GRANT app TO rotator WITH ADMIN TRUE, INHERIT FALSE, SET FALSE;

-- Only where PUBLIC may not connect to the database that the entry names (target.dbname):
-- GRANT CONNECT ON DATABASE warehouse TO rotator;

-- Only where old sessions are to be ended (revoking after a compromise):
-- GRANT pg_signal_backend TO rotator;

-- Only where clients and ages of sessions are to be told; without it, how many of which application:
-- GRANT pg_read_all_stats TO rotator;
