"""What holds for every table with named columns."""

from collections import Counter
from collections.abc import Sequence

from app.core.errors import WrongInput

SHOWN = 20


def check_columns(columns: Sequence[str], required: Sequence[str]) -> None:
    """WrongInput where a column has no name, two share one, or a required one is missing."""
    if repeated := [name for name, count in Counter(columns).items() if count > 1]:
        raise WrongInput(f"Two columns are named {repeated[0]!r}.", field=repeated[0])
    if missing := [name for name in required if name not in columns]:
        more = ", …" if len(columns) > SHOWN else ""
        raise WrongInput(
            f"There is no column {missing[0]!r}. The columns are: "
            f"{', '.join(columns[:SHOWN])}{more}. Rename one, or set the project's fields.",
            field=missing[0],
        )
