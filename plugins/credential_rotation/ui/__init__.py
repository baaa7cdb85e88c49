"""The page "Credentials" in Airflow's own UI: it reads the state folder, and never the vault."""
