"""Several panels of one plot, one below the other."""

from collections.abc import Sequence

from batchqc.documents.plots.scene import Item, Picture, shifted


def under(picture: Picture, items: Sequence[Item], height: float, *, words: str = "") -> Picture:
    """The picture with a panel of some height below it, and what is said of the panel."""
    below = [shifted(item, picture.height) for item in items]
    return Picture(
        picture.title,
        f"{picture.description} {words}".strip(),
        picture.width,
        picture.height + height,
        [*picture.items, *below],
        picture.table,
    )
