"""The command line door: ``batchqc``."""

import gc
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from batchqc.cli import (
    account,
    annex16,
    archive,
    archive_dossier,
    archive_export,
    audit,
    certificate,
    certificate_data,
    certificate_life,
    certificate_renewals,
    certificate_search,
    container,
    correction,
    deviation,
    donor_panel,
    donor_records,
    events,
    genealogy,
    investigation,
    laboratory,
    layout,
    log,
    look_back,
    lot,
    lot_later,
    lot_reviews,
    method,
    pki,
    policy,
    potency,
    profile,
    quality_review,
    register,
    rendition,
    result,
    shipment,
    spec,
    stats,
    stop,
    trend,
    trend_limits,
    upload,
    user,
)
from batchqc.cli.backup import backup, drill, restore
from batchqc.cli.change_impact import change_impact
from batchqc.cli.clock_compared import compare_clock
from batchqc.cli.configuration import configuration
from batchqc.cli.doctor import doctor
from batchqc.cli.init import init
from batchqc.cli.lot_form import form
from batchqc.cli.migrate import bring_up
from batchqc.cli.show import shown
from batchqc.cli.simulate import simulate
from batchqc.cli.trace import trace, trace_lot
from batchqc.cli.validate import validate
from batchqc.cli.work import work
from batchqc.cli.worker import beside, with_passphrase, worker
from batchqc.cli.workplace import check_disk, check_store, settings_of, workplace
from batchqc.errors import (
    BatchqcError,
    ClockDoubtful,
    Conflict,
    Disposed,
    IntegrityFailure,
    InvalidInput,
    NotEstimable,
    NotFound,
    NotPermitted,
    NotSignedIn,
    SignatureRefused,
    SigningUnavailable,
    StoreUnavailable,
)
from batchqc.records.job_queue import has_queue

_EXIT: Final[tuple[tuple[type[BatchqcError], int], ...]] = (
    (InvalidInput, 2),
    (NotEstimable, 2),
    (NotSignedIn, 3),
    (NotPermitted, 3),
    (SignatureRefused, 3),
    (NotFound, 4),
    (Conflict, 5),
    (SigningUnavailable, 6),
    (ClockDoubtful, 6),
    (StoreUnavailable, 6),
    (Disposed, 4),
    (IntegrityFailure, 7),
)

app = typer.Typer(
    help="Batch release QC for cell therapy: from assay CSV to a certificate anyone can verify.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback()
def _begin(
    context: typer.Context,
    home: Annotated[
        Path | None,
        typer.Option(
            envvar="BATCHQC_HOME",
            help="The folder of an installation: its batchqc.db, store/ and keys/."
            " Without it, BATCHQC_DATABASE, BATCHQC_STORE and BATCHQC_SEAL say where they are.",
        ),
    ] = None,
) -> None:
    context.obj = home


app.command()(init)
app.command("migrate")(bring_up)
app.command()(doctor)
for one in (backup, restore, drill):
    app.command()(one)
app.command()(work)
app.command()(configuration)
app.command()(validate)
app.command()(change_impact)
app.command()(worker)
app.command()(simulate)


@app.command()
def demo(
    to: Annotated[
        Path, typer.Option(help="The folder to write; an earlier one is replaced.")
    ] = Path("demo"),
) -> None:
    """Run the whole job on published results of eight lots, in under a minute."""
    from batchqc.cli.demo import demonstrate  # noqa: PLC0415 - other commands start faster

    demonstrate(to, Console())


@app.command()
def serve(
    context: typer.Context,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8000,
) -> None:
    """Serve the pages, and the API under /api/v1, with its description under /api/v1/docs.

    On SQLite it does the jobs as well; on PostgreSQL `batchqc worker` does them.
    """
    gc.disable()  # all that is loaded stays; to look through it again and again takes a tenth
    try:
        import uvicorn  # noqa: PLC0415 - other commands start faster

        from batchqc.api.logs import log_to_standard_error  # noqa: PLC0415 - only who serves waits
        from batchqc.api.workshops import workshop_of  # noqa: PLC0415 - only who serves waits
        from batchqc.web.app import create_application  # noqa: PLC0415 - only who serves waits

        place = workplace(context)  # refuses where nothing is set up
        check_store(place)
        check_disk(place)
        settings = settings_of(context)
        compare_clock(place, required=settings.clock_required)
        settings = with_passphrase(settings)
        log_to_standard_error(settings)
        application = create_application(settings)
        shop = workshop_of(application.api.state.door)
        gc.freeze()  # no collection looks through it later, while somebody waits
    finally:
        gc.enable()
    with nullcontext() if has_queue(shop.engine) else beside(shop):
        uvicorn.run(
            application, host=host, port=port,
            log_config=None, access_log=False,  # its lines would hold addresses with their queries
            forwarded_allow_ips=settings.proxies, server_header=False,
        )  # fmt: skip


app.add_typer(user.app, name="user")
app.add_typer(account.app, name="account")
app.add_typer(spec.app, name="spec")
app.add_typer(stats.app, name="stats")
app.add_typer(trend.app, name="trend")
trend.app.command("review")(quality_review.review)
trend.app.command("sign-review")(quality_review.sign_review)
app.add_typer(profile.app, name="profile")
app.add_typer(method.app, name="method")
app.add_typer(laboratory.app, name="register")
app.add_typer(register.products, name="product")
app.add_typer(donor_records.app, name="donor")
app.add_typer(donor_panel.app, name="donor-panel")
app.add_typer(lot.app, name="lot")
app.add_typer(register.samples, name="sample")
app.add_typer(upload.app, name="upload")
app.add_typer(genealogy.app, name="genealogy")
app.add_typer(container.app, name="container")
app.add_typer(shipment.app, name="shipment")
app.add_typer(look_back.app, name="look-back")
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
app.add_typer(result.app, name="result")
app.add_typer(investigation.app, name="investigation")
app.add_typer(deviation.app, name="deviation")
app.add_typer(correction.app, name="correction")
app.add_typer(certificate.app, name="certificate")
certificate.app.command()(certificate_renewals.due)
certificate.app.command()(certificate_renewals.renew)
certificate.app.command()(certificate_renewals.renewed)
certificate.app.command()(certificate_life.show)
certificate.app.command()(certificate_life.copy)
lot.app.command("draft-certificate")(certificate_life.draft)
certificate.app.command()(certificate_data.data)
certificate.app.command()(certificate_search.search)
certificate.app.command()(certificate_search.index)
certificate.app.command()(rendition.rendition)
certificate.app.command()(rendition.preview)
app.add_typer(layout.app, name="layout")
app.add_typer(log.app, name="log")
archive.app.command()(archive_export.export)
archive.app.command()(archive_dossier.dossier)
archive.app.command("import")(archive_dossier.import_)
app.add_typer(archive.app, name="archive")
app.add_typer(pki.app, name="pki")
app.add_typer(policy.app, name="policy")
app.add_typer(potency.app, name="potency")
app.add_typer(audit.app, name="audit")
app.add_typer(events.app, name="events")
app.add_typer(stop.app, name="stop")
trend.app.add_typer(trend_limits.app)


def run() -> None:
    """Run a command; an error is told in plain words, with its code, and its exit status."""
    try:
        app()
    except BatchqcError as error:
        print(shown(error), file=sys.stderr)  # noqa: T201 - what a command says of an error
        sys.exit(next(status for kind, status in _EXIT if isinstance(error, kind)))
