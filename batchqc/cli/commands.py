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

    return _with({"serve": serve})


@cache
def _working() -> typer.Typer:
    from batchqc.cli.worker import worker

    return _with({"worker": worker})


@cache
def _installation() -> typer.Typer:
    from batchqc.cli.backup import backup, drill, restore
    from batchqc.cli.doctor import doctor
    from batchqc.cli.init import init
    from batchqc.cli.migrate import bring_up

    return _with({
        "init": init, "migrate": bring_up, "doctor": doctor, "backup": backup, "restore": restore,
        "drill": drill,
    })  # fmt: skip


@cache
def _open_work() -> typer.Typer:
    from batchqc.cli.work import work

    return _with({"work": work})


@cache
def _settings() -> typer.Typer:
    from batchqc.cli.configuration import configuration

    return _with({"configuration": configuration})


@cache
def _qualification() -> typer.Typer:
    from batchqc.cli.validate import validate

    return _with({"validate": validate})


@cache
def _versions() -> typer.Typer:
    from batchqc.cli.change_impact import change_impact

    return _with({"change-impact": change_impact})


@cache
def _examples() -> typer.Typer:
    from batchqc.cli.demo import demo
    from batchqc.cli.simulate import simulate

    return _with({"simulate": simulate, "demo": demo})


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

    _with({"review": quality_review.review, "sign-review": quality_review.sign_review}, trend.app)
    trend.app.add_typer(trend_limits.app)
    return _with({
        "user": user.app, "account": account.app, "spec": spec.app, "stats": stats.app,
        "trend": trend.app, "profile": profile.app, "method": method.app,
        "register": laboratory.app, "product": register.products, "donor": donor_records.app,
        "donor-panel": donor_panel.app,
    })  # fmt: skip


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

    _with({"trace": trace}, upload.app)
    _with({
        "trace": trace_lot, "form": form, "review": lot_reviews.review,
        "qc-review": lot_reviews.qc_review, "audit-review": lot_reviews.audit_review,
        "release-conditionally": lot_later.conditionally, "recall": lot_later.recall,
        "supply": lot_later.supply, "destroy": lot_later.destroy, "overdue": lot_later.overdue,
        "annex16-check": annex16.check, "annex16-transfer": annex16.transfer,
        "certifications": annex16.certifications, "draft-certificate": certificate_life.draft,
    }, lot.app)  # fmt: skip
    return _with({
        "lot": lot.app, "sample": register.samples, "upload": upload.app,
        "genealogy": genealogy.app, "container": container.app, "shipment": shipment.app,
        "look-back": look_back.app, "result": result.app, "investigation": investigation.app,
        "deviation": deviation.app, "correction": correction.app,
    })  # fmt: skip


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

    _with({
        "due": certificate_renewals.due, "renew": certificate_renewals.renew,
        "renewed": certificate_renewals.renewed, "show": certificate_life.show,
        "copy": certificate_life.copy, "data": certificate_data.data,
        "search": certificate_search.search, "index": certificate_search.index,
        "rendition": rendition.rendition, "preview": rendition.preview,
    }, certificate.app)  # fmt: skip
    _with({
        "export": archive_export.export, "dossier": archive_dossier.dossier,
        "import": archive_dossier.import_,
    }, archive.app)  # fmt: skip
    return _with({
        "certificate": certificate.app, "layout": layout.app, "log": log.app,
        "archive": archive.app, "pki": pki.app,
    })  # fmt: skip


@cache
def _oversight() -> typer.Typer:
    from batchqc.cli import audit, events, policy, potency, stop

    return _with({
        "policy": policy.app, "potency": potency.app, "audit": audit.app, "events": events.app,
        "stop": stop.app,
    })  # fmt: skip


def _with(
    commands: Mapping[str, typer.Typer | Callable[..., object]], app: typer.Typer | None = None
) -> typer.Typer:
    """An application, or a new one, with more commands, and groups of them, by their names."""
    app = app or typer.Typer()
    for name, one in commands.items():
        if isinstance(one, typer.Typer):
            app.add_typer(one, name=name)
        else:
            app.command(name)(one)
    return app


#: The commands of each kind, in the order of the help.
KINDS: Final[Mapping[Kind, tuple[str, ...]]] = {
    _installation: ("init", "migrate", "doctor", "backup", "restore", "drill"),
    _open_work: ("work",),
    _settings: ("configuration",),
    _qualification: ("validate",),
    _versions: ("change-impact",),
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
