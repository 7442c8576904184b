"""`ktrdr data`: load bars, import bars of one's own, and look at them."""

import typer

from ktrdr.cli.commands.data_check import check_bars, list_gaps
from ktrdr.cli.commands.data_import import import_file
from ktrdr.cli.commands.data_load import load
from ktrdr.cli.commands.data_series import delete, export, list_series, show, show_range

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="Load bars, import your own, list them.")
app.command()(load)
app.command("import")(import_file)
app.command("list")(list_series)
app.command()(show)
app.command("range")(show_range)
app.command("check")(check_bars)
app.command("gaps")(list_gaps)
app.command()(export)
app.command()(delete)
