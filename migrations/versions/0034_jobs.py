"""Jobs, their steps, and how far they are; on PostgreSQL the tables of the job queue as well.

The queue is that of procrastinate 3.10, whose own file stands beside this folder. What it holds can
be made anew of the jobs.
"""

from pathlib import Path

from alembic import op

from migrations_guards import guarded_table

revision = "0034"
down_revision = "0031"


def upgrade() -> None:
    """Add the tables with their guards, and the queue."""
    guarded_table(
        "job",
        (),
        ("year", "number"),
        ("kind", "wanted", "asked_by", "role", "asked_at"),
        [["year", "number"]],
    )
    guarded_table(
        "job_step",
        ("job",),
        ("number", "tries"),
        ("state", "said", "due", "link", "result_sha", "executor", "at"),
        [["job_id", "number"]],
    )
    guarded_table("job_progress", ("job",), ("done", "total"), ("at",), [])
    bind = op.get_bind()
    if bind.dialect.name == "postgresql":
        queue = Path(__file__).parents[1] / "procrastinate-3.10.sql"
        bind.connection.driver_connection.execute(queue.read_text(encoding="utf-8"))
