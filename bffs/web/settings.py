"""What the web BFF reads from its environment: ``FRONTAGE_…_URL`` of its backends, and every BFF's settings."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field

from bffs.web.limits import CallerPolicies, CallerPolicy
from shared.limits.charging import OnFailure
from shared.settings import BackendUrl, BffSettings

MANIFEST: Final = Path(__file__).parent / "documents.json"

Units = Annotated[int, Field(ge=1)]


class WebSettings(BffSettings):
    """In ``local`` mode, GraphiQL answers a GET, anybody may send any document, and the schema tells of itself.

    Elsewhere only the documents of the manifest are executed (``documents``), but for callers with ``explorer_scope``.
    ``graphql`` is ``plans`` or ``core`` (graphql-core executes everything: the stock part, to rule ours out).
    Costs are those of ``bffs/web/costs.py``: an operation's most, and a minute's. ``limiter`` counts the minute's for
    all replicas, ``cost_on_failure`` says what happens when it cannot; without one, each replica counts for itself.
    """

    users_url: BackendUrl
    orders_url: BackendUrl
    alerts_url: BackendUrl
    documents: Path = MANIFEST
    graphql: Literal["plans", "core"] = "plans"
    explorer_scope: Annotated[str, Field(pattern=r"^[!#-\[\]-~]+$")] = "graphql:explore"
    # The dearest page that we know of, fifty orders with lines and customers, takes some 700.
    page_most_cost: Units = 2000
    # A page of 40 twenty times a second; the edge stops a person who sends as many requests before.
    page_cost_per_minute: Units = 50_000
    # Who tries things out needs small answers, and must not be able to take what pages live on.
    explorer_most_cost: Units = 1000
    explorer_cost_per_minute: Units = 20_000
    limiter: BackendUrl | None = None
    cost_on_failure: OnFailure = OnFailure.LOCAL

    @property
    def policies(self) -> CallerPolicies:
        """Who may ask for what."""
        page = CallerPolicy(
            name="page", may_send_text=False, most_cost=self.page_most_cost,
            cost_per_minute=self.page_cost_per_minute, on_failure=self.cost_on_failure,
        )  # fmt: skip
        explorer = CallerPolicy(
            name="explorer", may_send_text=True, most_cost=self.explorer_most_cost,
            cost_per_minute=self.explorer_cost_per_minute, on_failure=self.cost_on_failure,
        )  # fmt: skip
        if self.mode == "local":  # whoever develops a page may try out anything, at what the page will have
            page = replace(page, may_send_text=True)
        return CallerPolicies(page=page, explorer=explorer, explorer_scope=self.explorer_scope)
