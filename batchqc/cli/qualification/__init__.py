"""``batchqc validate``: installation and operational qualification, and the report of both."""
