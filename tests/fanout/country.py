"""A small country to warn: the bench's own, with six hundred people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text

from alerting.store.engine import transaction
from bench import population

PEOPLE = 600


@dataclass(frozen=True, slots=True)
class Country:
    """Six hundred people in a hundred squares, and how to look at what became of a warning."""

    url: str

    def warn(
        self, *, squares: int = 30, rows: int = 4, columns: int = 6, priority: int = 0, hours: float = 6
    ) -> UUID:
        """Issue a warning of two segments: regions by code, and a polygon."""
        return population.issue(
            self.url, squares=squares, rows=rows, columns=columns, priority=priority, hours=hours
        )

    def rows(self, query: str, **values: object) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        with transaction() as session:
            return [tuple(row) for row in session.execute(text(query), values)]

    def one(self, query: str, **values: object) -> Any:
        """The one value of a query."""
        return self.rows(query, **values)[0][0]

    def run(self, statement: str, **values: object) -> None:
        """Change something by hand."""
        with transaction() as session:
            session.execute(text(statement), values)

    def statuses(self) -> dict[str, int]:
        """Deliveries by status, counted row by row."""
        return dict(self.rows("SELECT CAST(status AS text), count(*) FROM delivery GROUP BY 1"))  # type: ignore[arg-type]

    def tally_differs(self) -> list[tuple[Any, ...]]:
        """Where the tally is not what the rows say."""
        return self.rows("""
            SELECT * FROM (SELECT dispatch, region, status, count(*) AS n FROM delivery GROUP BY 1, 2, 3) AS counted
            FULL JOIN (SELECT dispatch, region, status, n FROM tally WHERE n <> 0) AS tallied
              USING (dispatch, region, status)
            WHERE counted.n IS DISTINCT FROM tallied.n
        """)
