"""Airflow provider that lands contact-center reports in S3 or GCS, complete and once."""

__version__ = "0.1.0"
