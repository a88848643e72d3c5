"""Parameters that several routes share."""

from typing import Annotated

from fastapi import Depends, Path, Query

from app.core.errors import NotFound
from app.core.projects import NAME

PREFIX = "/api/v1"
LARGEST_ID = 2**63 - 1


def project_name(
    name: Annotated[
        str,
        Path(
            description="Name of the project.",
            examples=["tickets"],
            json_schema_extra={"pattern": f"^{NAME.pattern}$"},
        ),
    ],
) -> str:
    """A name that no project can have is a project that there is not."""
    if not NAME.fullmatch(name):
        raise NotFound(f"There is no project named {name[:60]!a}.")
    return name


ProjectName = Annotated[str, Depends(project_name)]
RoundNumber = Annotated[
    int, Path(ge=1, le=2**31 - 1, description="Number of the round.", examples=[3])
]
JobNumber = Annotated[
    int, Path(ge=1, le=LARGEST_ID, description="Number of the long run.", examples=[7])
]
After = Annotated[
    int, Query(ge=0, le=LARGEST_ID, description="`next` of the page before; 0 for the first.")
]
Limit = Annotated[int, Query(ge=1, le=1000, description="How many at most.")]
