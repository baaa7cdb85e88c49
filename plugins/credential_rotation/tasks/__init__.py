"""What the DAGs are made of, and all that only a run of Airflow knows."""
