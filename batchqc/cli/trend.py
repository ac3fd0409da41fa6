"""``batchqc trend``: the lots of a product seen together."""

import typer

app = typer.Typer(help="Trends: the lots of a product seen together.")


@app.callback()
def _group() -> None:
    """Keep each command one of its own."""
