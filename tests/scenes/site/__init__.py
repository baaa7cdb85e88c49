"""Deployments without Airflow, driven through the command line."""
