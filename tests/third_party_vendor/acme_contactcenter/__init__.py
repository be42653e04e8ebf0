"""Acme's reports for airflow-provider-contactcenter: a small vendor, complete."""
