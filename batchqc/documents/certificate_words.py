"""What the pages of a certificate say of themselves in each language.

For ``certificate_check`` only, and written down apart from the files that pages are made with.
"""

from typing import Final, NamedTuple


class PageWords(NamedTuple):
    """The foot of each page, and what a rendition says on its first and on each page."""

    identity: str
    page: str
    content: str
    rendition: str
    withheld: str


PAGE_WORDS: Final = {
    "en": PageWords(
        "Certificate {} · Lot {}",
        "Page {} of {}",
        "Content SHA-256 {}",
        "Rendition of certificate {} for",
        "results withheld: {}",
    ),
    "de": PageWords(
        "Zertifikat {} · Charge {}",
        "Seite {} von {}",
        "SHA-256 des Inhalts {}",
        "Ausfertigung des Zertifikats {} für",
        "nicht enthaltene Ergebnisse: {}",
    ),
    "fr": PageWords(
        "Certificat {} · Lot {}",
        "Page {} sur {}",
        "SHA-256 du contenu {}",
        "Version du certificat {} établie pour",
        "résultats omis : {}",
    ),
    "es": PageWords(
        "Certificado {} · Lote {}",
        "Página {} de {}",
        "SHA-256 del contenido {}",
        "Versión del certificado {} emitida para",
        "resultados omitidos: {}",
    ),
}
