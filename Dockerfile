# Airflow with what the rotation needs; dags/, plugins/ and include/ are mounted (docker-compose.yaml).
FROM apache/airflow:3.3.2 AS airflow
COPY requirements.txt /requirements.txt
# celery 5.7 does not start with Airflow's Celery provider 3.26.
RUN pip install --no-cache-dir -r /requirements.txt "celery<5.7"

# The same, with the stand-ins of the demo.
FROM airflow AS demo
COPY requirements-dev.txt /requirements-dev.txt
RUN pip install --no-cache-dir -r /requirements-dev.txt "celery<5.7"
COPY tests /opt/airflow/tests
