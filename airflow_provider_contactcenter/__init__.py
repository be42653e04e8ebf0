"""Airflow provider that lands contact-center reports in a store, complete and once."""

__version__ = "0.1.0"
