"""A whole data platform on loopback: Airflow, an S3 server, a GCS server; for the demo and for tests."""
