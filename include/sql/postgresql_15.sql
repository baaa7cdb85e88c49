-- PostgreSQL 15: the role that changes other roles' passwords.
-- Run once as a superuser (or the managed service's admin role), with a password for the rotator that you
-- type in: psql -f postgresql_15.sql, then \password rotator (which never sends or logs it in the clear).
-- Put that password into Bitwarden, as the entry of your admin says.
--
-- Know what this grants: up to 15, CREATEROLE may change EVERY role that is no superuser, named below or
-- not. Nothing narrower can change a password; PostgreSQL 16 can (postgresql_16.sql). Until then keep this
-- role's secret in a Bitwarden project that only the rotation reads, and its queue apart.

CREATE ROLE rotator LOGIN CREATEROLE NOINHERIT CONNECTION LIMIT 20;

-- Not needed on 15, and right to have before the upgrade to 16, where the rotator changes nobody without it.
-- One line for each role that is rotated:
-- GRANT app TO rotator WITH ADMIN OPTION;

-- Only where old sessions are to be ended (revoking after a compromise):
-- GRANT pg_signal_backend TO rotator;
