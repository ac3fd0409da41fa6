"""A word such as SPECIMEN or COPY across a page, drawn as strokes.

Strokes and not text: a diagonal word would fall between the lines of whoever copies text out of
the page, and of the checker that reads it. The word itself stands as text in the head.
"""

from collections.abc import Iterator

from batchqc.documents.coa_canvas import TaggedCanvas
from batchqc.documents.coa_drawing import Colour

_LIGHT: Colour = (0.932, 0.937, 0.943)
_STROKE = 15.0
_SPACE = 31.0
_S = (
    "M53,80 C48,95 38,100 28,100 C13,100 3,91 3,77 C3,62 15,57 28,52 "
    "C43,47 56,42 56,25 C56,10 44,0 28,0 C14,0 4,7 1,22"
)
# Letters 100 units high, as move, line and curve, with the width of each.
_LETTERS = {
    "S": (_S, 56),
    "P": ("M0,-7 L0,100 L26,100 C60,100 60,44 26,44 L0,44", 52),
    "E": ("M49,100 L0,100 L0,0 L50,0 M0,51 L44,51", 50),
    "C": ("M68,80 C60,94 50,100 38,100 C14,100 0,80 0,50 C0,20 14,0 38,0 C50,0 60,6 68,20", 68),
    "I": ("M0,-7 L0,107", 0),
    "M": ("M0,-7 L0,100 L36,32 L72,100 L72,-7", 72),
    "N": ("M0,-7 L0,100 L58,0 L58,107", 58),
    "A": ("M0,-7 L31,104 L62,-7 M12,32 L50,32", 62),
    "D": ("M0,50 L0,100 L20,100 C72,100 72,0 20,0 L0,0 L0,50", 58),
    "F": ("M0,-7 L0,100 L50,100 M0,51 L42,51", 48),
    "H": ("M0,-7 L0,107 M58,-7 L58,107 M0,51 L58,51", 58),
    "O": ("M37,100 C12,100 0,80 0,50 C0,20 12,0 37,0 C62,0 74,20 74,50 C74,80 62,100 37,100", 74),
    "R": ("M0,-7 L0,100 L26,100 C60,100 60,48 26,48 L0,48 M24,48 L54,-7", 54),
    "T": ("M0,100 L58,100 M29,100 L29,-7", 58),
    "U": ("M0,107 L0,36 C0,12 11,0 28,0 C45,0 56,12 56,36 L56,107", 56),
    "W": ("M0,107 L20,0 L42,84 L64,0 L84,107", 84),
    "Y": ("M0,107 L30,48 L60,107 M30,48 L30,-7", 60),
}
_LONGEST = 640.0


def draw_specimen(canvas: TaggedCanvas, text: str = "SPECIMEN") -> None:
    """Draw the mark; the page's text comes over it and stays legible."""
    word = [_LETTERS[letter] for letter in text]
    length = sum(width for _, width in word) + _SPACE * (len(word) - 1)
    canvas.begin(None)
    canvas.saveState()
    canvas.translate(canvas.paper.width / 2, canvas.paper.height / 2)
    canvas.rotate(54)
    if length > _LONGEST:
        canvas.scale(_LONGEST / length, _LONGEST / length)
    canvas.translate(-length / 2, -50)
    canvas.setStrokeColorRGB(*_LIGHT)
    canvas.setLineWidth(_STROKE)
    canvas.setLineJoin(1)
    path = canvas.beginPath()
    x = 0.0
    for outline, width in word:
        for step, points in _steps(outline):
            draw = {"M": path.moveTo, "L": path.lineTo, "C": path.curveTo}[step]
            draw(*(value + x if index % 2 == 0 else value for index, value in enumerate(points)))
        x += width + _SPACE
    canvas.drawPath(path, stroke=1, fill=0)
    canvas.restoreState()
    canvas.end()


def _steps(outline: str) -> Iterator[tuple[str, list[float]]]:
    """Each step with its points: a curve takes three, the others one."""
    for step in outline.replace(" C", "|C").replace(" L", "|L").replace(" M", "|M").split("|"):
        yield step[0], [float(value) for value in step[1:].replace(" ", ",").split(",")]
