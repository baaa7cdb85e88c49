"""Deployments in a real Airflow, and what happens to them."""
