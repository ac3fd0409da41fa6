"""SQLAlchemy rows, queries, and the transaction that audits them."""
