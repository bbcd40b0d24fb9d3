"""Read by dbt."""

version = "1.0.0"
