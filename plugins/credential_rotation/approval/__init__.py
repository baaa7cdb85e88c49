"""A second person's yes, asked for in Airflow."""
