-- PostgreSQL 16 and newer: the role that changes other roles' passwords, and nothing else.
-- Run once as a superuser (or the managed service's admin role), with a password for the rotator that you
-- type in: psql -f postgresql_16.sql, then \password rotator (which never sends or logs it in the clear).
-- Put that password into Bitwarden, as the entry of your admin says.
--
-- Why both: CREATEROLE alone changes nobody since 16, ADMIN OPTION alone changes nobody either.
-- A superuser's password stays out of its reach, as it should.

CREATE ROLE rotator LOGIN CREATEROLE NOINHERIT CONNECTION LIMIT 20;

-- One line for each role that is rotated. INHERIT FALSE and SET FALSE: the rotator may change the role's
-- password and comment, and may neither use the role's rights nor become it.
-- GRANT app TO rotator WITH ADMIN TRUE, INHERIT FALSE, SET FALSE;

-- Only where old sessions are to be ended (revoking after a compromise):
-- GRANT pg_signal_backend TO rotator;
