"""``batchqc serve``: the pages, and the API beside them."""

import gc
from contextlib import nullcontext
from typing import Annotated

import typer


def serve(
    context: typer.Context,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")] = 8000,
) -> None:
    """Serve the pages, and the API under /api/v1, with its description under /api/v1/docs.

    On SQLite it does the jobs as well; on PostgreSQL `batchqc worker` does them.
    """
    gc.disable()  # all that is loaded stays; to look through it again and again takes a tenth
    try:
        import uvicorn  # noqa: PLC0415 - after the line above

        from batchqc.api.loaded import settle  # noqa: PLC0415 - see above
        from batchqc.api.logs import log_to_standard_error  # noqa: PLC0415 - see above
        from batchqc.api.workshops import workshop_of  # noqa: PLC0415 - see above
        from batchqc.cli.clock_compared import compare_clock  # noqa: PLC0415 - see above
        from batchqc.cli.worker import beside, with_passphrase  # noqa: PLC0415 - see above
        from batchqc.cli.workplace import (  # noqa: PLC0415 - see above
            check_disk,
            check_store,
            settings_of,
            tell_rights,
            tell_trial,
            workplace,
        )
        from batchqc.records.job_queue import has_queue  # noqa: PLC0415 - see above
        from batchqc.web.app import create_application  # noqa: PLC0415 - see above

        place = workplace(context)  # refuses where nothing is set up
        check_store(place)
        check_disk(place)
        settings = settings_of(context)
        compare_clock(place, required=settings.clock_required)
        settings = with_passphrase(settings)
        log_to_standard_error(settings)
        tell_trial(place)
        tell_rights(place)
        application = create_application(settings)
        shop = workshop_of(application.api.state.door)
        settle()
    finally:
        gc.enable()
    with nullcontext() if has_queue(shop.engine) else beside(shop):
        uvicorn.run(
            application, host=host, port=port,
            log_config=None, access_log=False,  # its lines would hold addresses with their queries
            forwarded_allow_ips=settings.proxies, server_header=False,
        )  # fmt: skip
