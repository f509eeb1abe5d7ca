"""The chart of a company over HTTP: those that come with the service, the one that was chosen or imported, and the accounts of its roles."""

from accounting import chart_commands
from accounting.bodies import NewChart, NewRoles
from accounting.chart import CHARTS, Chart, described, own
from accounting.reactions import books, postings
from accounting.scopes import Reader, Writer
from accounting.views import ChartsView, ChartView
from tailrace.core.errors import Invalid
from tailrace.http.etag import IfMatch
from tailrace.http.routing import Tx, tenant_router

router = tenant_router("/v1/accounting", tag="accounting", reads=[books, postings])


@router.get("/charts", response_model=ChartsView)
async def read_charts(who: Reader) -> ChartsView:
    """The charts that come with the service."""
    return ChartsView.model_validate({"charts": [described(chart) for chart in CHARTS.values()]})


@router.get("/chart", response_model=ChartView)
async def read_chart(tx: Tx, who: Reader) -> chart_commands.ChosenChart:
    """The chart of the company: which account has which role, since when."""
    return await chart_commands.chosen_chart(tx)


@router.put("/chart", response_model=ChartView)
async def replace_chart(tx: Tx, who: Writer, body: NewChart, match: IfMatch) -> chart_commands.ChosenChart:
    """Begin the books with a chart, by name or from a CSV file. Once there is a journal: add its accounts, and map its roles from a day on."""
    chart = _chart(body)
    if body.since is None:
        return await chart_commands.replace_chart(tx, chart, match)
    return await chart_commands.extend_chart(tx, chart, body.since, match)


@router.post("/chart/roles", response_model=ChartView)
async def map_roles(tx: Tx, who: Writer, body: NewRoles, match: IfMatch) -> chart_commands.ChosenChart:
    """Give roles other accounts from a day on. What took effect before keeps the older ones."""
    return await chart_commands.map_roles(tx, body.since, body.roles, match)


def _chart(body: NewChart) -> Chart:
    """Raises Invalid."""
    if body.csv is not None:
        return own(body.csv)
    chart = CHARTS.get(body.chart or "")
    if chart is None:
        raise Invalid.field("/chart", f"There is no chart {body.chart}; there are {', '.join(CHARTS)}.")
    return chart
