"""Which commands there are, by kind, and where they are: a start loads those of one kind alone.

The imports stand in the functions, so that each kind brings its own when it is asked for.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Final

import typer

Kind = Callable[[], typer.Typer]


@cache
def _serving() -> typer.Typer:
    from batchqc.cli.serve import serve

    app = typer.Typer()
    app.command()(serve)
    return app


@cache
def _working() -> typer.Typer:
    from batchqc.cli.worker import worker

    app = typer.Typer()
    app.command()(worker)
    return app


@cache
def _installation() -> typer.Typer:
    from batchqc.cli.backup import backup, drill, restore
    from batchqc.cli.doctor import doctor
    from batchqc.cli.init import init
    from batchqc.cli.migrate import bring_up

    app = typer.Typer()
    app.command()(init)
    app.command("migrate")(bring_up)
    for one in (doctor, backup, restore, drill):
        app.command()(one)
    return app


@cache
def _overview() -> typer.Typer:
    from batchqc.cli.change_impact import change_impact
    from batchqc.cli.configuration import configuration
    from batchqc.cli.validate import validate
    from batchqc.cli.work import work

    app = typer.Typer()
    for one in (work, configuration, validate, change_impact):
        app.command()(one)
    return app


@cache
def _examples() -> typer.Typer:
    from batchqc.cli.demo import demo
    from batchqc.cli.simulate import simulate

    app = typer.Typer()
    for one in (simulate, demo):
        app.command()(one)
    return app


@cache
def _registers() -> typer.Typer:
    from batchqc.cli import (
        account,
        donor_panel,
        donor_records,
        laboratory,
        method,
        profile,
        quality_review,
        register,
        spec,
        stats,
        trend,
        trend_limits,
        user,
    )

    trend.app.command("review")(quality_review.review)
    trend.app.command("sign-review")(quality_review.sign_review)
    trend.app.add_typer(trend_limits.app)
    app = typer.Typer()
    app.add_typer(user.app, name="user")
    app.add_typer(account.app, name="account")
    app.add_typer(spec.app, name="spec")
    app.add_typer(stats.app, name="stats")
    app.add_typer(trend.app, name="trend")
    app.add_typer(profile.app, name="profile")
    app.add_typer(method.app, name="method")
    app.add_typer(laboratory.app, name="register")
    app.add_typer(register.products, name="product")
    app.add_typer(donor_records.app, name="donor")
    app.add_typer(donor_panel.app, name="donor-panel")
    return app


@cache
def _lots() -> typer.Typer:
    from batchqc.cli import (
        annex16,
        certificate_life,
        container,
        correction,
        deviation,
        genealogy,
        investigation,
        look_back,
        lot,
        lot_later,
        lot_reviews,
        register,
        result,
        shipment,
        upload,
    )
    from batchqc.cli.lot_form import form
    from batchqc.cli.trace import trace, trace_lot

    upload.app.command("trace")(trace)
    lot.app.command("trace")(trace_lot)
    lot.app.command("form")(form)
    lot.app.command()(lot_reviews.review)
    lot.app.command()(lot_reviews.qc_review)
    lot.app.command()(lot_reviews.audit_review)
    lot.app.command("release-conditionally")(lot_later.conditionally)
    lot.app.command()(lot_later.recall)
    lot.app.command()(lot_later.supply)
    lot.app.command()(lot_later.destroy)
    lot.app.command()(lot_later.overdue)
    lot.app.command("annex16-check")(annex16.check)
    lot.app.command("annex16-transfer")(annex16.transfer)
    lot.app.command()(annex16.certifications)
    lot.app.command("draft-certificate")(certificate_life.draft)
    app = typer.Typer()
    app.add_typer(lot.app, name="lot")
    app.add_typer(register.samples, name="sample")
    app.add_typer(upload.app, name="upload")
    app.add_typer(genealogy.app, name="genealogy")
    app.add_typer(container.app, name="container")
    app.add_typer(shipment.app, name="shipment")
    app.add_typer(look_back.app, name="look-back")
    app.add_typer(result.app, name="result")
    app.add_typer(investigation.app, name="investigation")
    app.add_typer(deviation.app, name="deviation")
    app.add_typer(correction.app, name="correction")
    return app


@cache
def _documents() -> typer.Typer:
    from batchqc.cli import (
        archive,
        archive_dossier,
        archive_export,
        certificate,
        certificate_data,
        certificate_life,
        certificate_renewals,
        certificate_search,
        layout,
        log,
        pki,
        rendition,
    )

    certificate.app.command()(certificate_renewals.due)
    certificate.app.command()(certificate_renewals.renew)
    certificate.app.command()(certificate_renewals.renewed)
    certificate.app.command()(certificate_life.show)
    certificate.app.command()(certificate_life.copy)
    certificate.app.command()(certificate_data.data)
    certificate.app.command()(certificate_search.search)
    certificate.app.command()(certificate_search.index)
    certificate.app.command()(rendition.rendition)
    certificate.app.command()(rendition.preview)
    archive.app.command()(archive_export.export)
    archive.app.command()(archive_dossier.dossier)
    archive.app.command("import")(archive_dossier.import_)
    app = typer.Typer()
    app.add_typer(certificate.app, name="certificate")
    app.add_typer(layout.app, name="layout")
    app.add_typer(log.app, name="log")
    app.add_typer(archive.app, name="archive")
    app.add_typer(pki.app, name="pki")
    return app


@cache
def _oversight() -> typer.Typer:
    from batchqc.cli import audit, events, policy, potency, stop

    app = typer.Typer()
    app.add_typer(policy.app, name="policy")
    app.add_typer(potency.app, name="potency")
    app.add_typer(audit.app, name="audit")
    app.add_typer(events.app, name="events")
    app.add_typer(stop.app, name="stop")
    return app


#: The commands of each kind, in the order of the help.
KINDS: Final[Mapping[Kind, tuple[str, ...]]] = {
    _installation: ("init", "migrate", "doctor", "backup", "restore", "drill"),
    _overview: ("work", "configuration", "validate", "change-impact"),
    _working: ("worker",),
    _examples: ("simulate", "demo"),
    _serving: ("serve",),
    _registers: (
        "user", "account", "spec", "stats", "trend", "profile", "method", "register", "product",
        "donor", "donor-panel",
    ),
    _lots: (
        "lot", "sample", "upload", "genealogy", "container", "shipment", "look-back", "result",
        "investigation", "deviation", "correction",
    ),
    _documents: ("certificate", "layout", "log", "archive", "pki"),
    _oversight: ("policy", "potency", "audit", "events", "stop"),
}  # fmt: skip
