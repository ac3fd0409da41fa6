"""No page is forgotten: each is among the screens that some file of tests looks at."""

from importlib import import_module
from pathlib import Path

from starlette.routing import Match, Route

from batchqc.web.screens import SCREENS

#: What is no page: files, parts of a page, and where a provider leads back to.
NO_PAGE = {
    "/static/{version}/{name:path}", "/favicon.ico", "/lots.csv", "/find", "/sign-in/return",
    "/certificates/{number}/pdf",
    "/trends.csv", "/trends/{product}/{criterion}.csv",
    "/trends/{product}/{criterion}/plots/{plot}", "/quality-reviews.csv",
    "/quality-reviews/{number}/pdf", "/quality-reviews/{number}/tables/{table}",
    "/certificates.csv", "/exports.csv", "/verify/verifier.py", "/certificates/{number}/proof",
    "/certificates/{number}/data/{form}", "/certificates/{number}/copies/{copy}/pdf",
    "/certificates/{number}/renditions/{layout}/{version}/pdf",
    "/investigations.csv", "/investigations/patterns.csv",
    "/investigations/{number}/documents/{sha256}", "/deviations.csv",
    "/donors.csv", "/donors/{code}/records.txt", "/banks.csv",
    "/genealogy.csv", "/look-backs.csv", "/look-backs/{number}/doses.csv", "/products.csv",
    "/lots/{lot}/doses.csv",
    "/jobs/{number}/result", "/work.csv", "/reviews.csv", "/corrections.csv",
    "/second-entries/{number}/documents/{position}",
    "/audit-trail.csv", "/audit-trail/{sequence}/entry.json", "/audit-trail/{sequence}/proof",
    "/administration/accounts.csv", "/administration/{kind}.csv",
    "/specifications.csv", "/specifications/{specification}/{version}/impact.csv",
    "/specifications/{specification}/{version}/impact.pdf", "/{kind:document}.csv",
    "/{kind:document}/{name:path}/{version}/file", "/layouts/{name}/{version}/preview",
    "/uploads.csv", "/uploads/template.csv", "/uploads/preview/{key}/annotated.csv",
    "/uploads/{number}/file", "/uploads/{number}/annotated.csv",
    "/uploads/{number}/documents/{position}", "/manual.csv", "/certifications.csv",
}  # fmt: skip
#: Looked at in files of their own: at the sign-in, and at the provider.
ELSEWHERE = {"/sign-in", "/step-up", "/step-up/return"}
#: Files of tests have a dictionary ``SCREENS`` of paths that they look at.
LOOKED_AT = [
    path
    for file in sorted(Path(__file__).parent.glob("test_*screens.py"))
    for path in import_module(f"tests.web.{file.stem}").SCREENS.values()
]


def test_every_page_is_among_the_screens_that_are_looked_at():
    routes = [
        route
        for screen in SCREENS
        for route in screen.router.routes
        if isinstance(route, Route) and "GET" in (route.methods or ())
    ]
    known = {route.path for route in routes}
    assert known >= NO_PAGE | ELSEWHERE
    seen = {first(routes, path.partition("?")[0]) for path in LOOKED_AT}
    assert known - NO_PAGE - ELSEWHERE - seen == set()


def first(routes: list[Route], path: str) -> str:
    scope = {"type": "http", "method": "GET", "path": path, "headers": [], "root_path": ""}
    return next((route.path for route in routes if route.matches(scope)[0] is Match.FULL), "none")
