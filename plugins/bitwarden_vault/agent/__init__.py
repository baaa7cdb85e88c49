"""The process per host, user and access token that owns login, rate budget and cache, and its workers."""
