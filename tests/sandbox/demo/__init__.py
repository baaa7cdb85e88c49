"""The demo: real PostgreSQL roles rotated by a real Airflow, one failure on purpose, and its recovery."""
