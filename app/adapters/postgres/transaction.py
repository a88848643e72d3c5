"""One transaction: every group of statements, over the same connection."""

from functools import cached_property

from sqlalchemy import Connection

from app.adapters.postgres.annotations import PostgresAnnotations
from app.adapters.postgres.classifiers import PostgresClassifiers
from app.adapters.postgres.disputes import PostgresDisputes
from app.adapters.postgres.engine import Sql
from app.adapters.postgres.events import PostgresEvents
from app.adapters.postgres.exits import PostgresExits
from app.adapters.postgres.figures import PostgresFigures
from app.adapters.postgres.items import PostgresItems
from app.adapters.postgres.keys import PostgresKeys
from app.adapters.postgres.labels import PostgresLabels
from app.adapters.postgres.llm_answers import PostgresLlmAnswers
from app.adapters.postgres.llm_calls import PostgresLlmCalls
from app.adapters.postgres.llm_jobs import PostgresLlmJobs
from app.adapters.postgres.llm_standing import PostgresLlmStanding
from app.adapters.postgres.maps import PostgresMaps
from app.adapters.postgres.measuring import PostgresMeasurements
from app.adapters.postgres.pools import PostgresPools
from app.adapters.postgres.projects import PostgresProjects
from app.adapters.postgres.rounds import PostgresRounds
from app.adapters.postgres.runs import PostgresRuns
from app.adapters.postgres.schemas import PostgresSchemas
from app.adapters.postgres.selections import PostgresSelections
from app.adapters.postgres.tracking import PostgresTracking
from app.adapters.postgres.views import PostgresViews
from app.adapters.postgres.whole_projects import PostgresWholeProjects


class PostgresTransaction:
    def __init__(self, connection: Connection) -> None:
        self.sql = Sql(connection)

    @cached_property
    def projects(self) -> PostgresProjects:
        return PostgresProjects(self.sql)

    @cached_property
    def items(self) -> PostgresItems:
        return PostgresItems(self.sql)

    @cached_property
    def rounds(self) -> PostgresRounds:
        return PostgresRounds(self.sql)

    @cached_property
    def pools(self) -> PostgresPools:
        return PostgresPools(self.sql)

    @cached_property
    def schemas(self) -> PostgresSchemas:
        return PostgresSchemas(self.sql)

    @cached_property
    def runs(self) -> PostgresRuns:
        return PostgresRuns(self.sql)

    @cached_property
    def selections(self) -> PostgresSelections:
        return PostgresSelections(self.sql)

    @cached_property
    def disputes(self) -> PostgresDisputes:
        return PostgresDisputes(self.sql)

    @cached_property
    def annotations(self) -> PostgresAnnotations:
        return PostgresAnnotations(self.sql)

    @cached_property
    def labels(self) -> PostgresLabels:
        return PostgresLabels(self.sql)

    @cached_property
    def classifiers(self) -> PostgresClassifiers:
        return PostgresClassifiers(self.sql)

    @cached_property
    def measurements(self) -> PostgresMeasurements:
        return PostgresMeasurements(self.sql)

    @cached_property
    def keys(self) -> PostgresKeys:
        return PostgresKeys(self.sql)

    @cached_property
    def events(self) -> PostgresEvents:
        return PostgresEvents(self.sql)

    @cached_property
    def views(self) -> PostgresViews:
        return PostgresViews(self.sql)

    @cached_property
    def tracking(self) -> PostgresTracking:
        return PostgresTracking(self.sql)

    @cached_property
    def maps(self) -> PostgresMaps:
        return PostgresMaps(self.sql)

    @cached_property
    def figures(self) -> PostgresFigures:
        return PostgresFigures(self.sql)

    @cached_property
    def exits(self) -> PostgresExits:
        return PostgresExits(self.sql)

    @cached_property
    def llm_calls(self) -> PostgresLlmCalls:
        return PostgresLlmCalls(self.sql)

    @cached_property
    def llm_answers(self) -> PostgresLlmAnswers:
        return PostgresLlmAnswers(self.sql)

    @cached_property
    def llm_standing(self) -> PostgresLlmStanding:
        return PostgresLlmStanding(self.sql)

    @cached_property
    def llm_jobs(self) -> PostgresLlmJobs:
        return PostgresLlmJobs(self.sql)

    @cached_property
    def whole(self) -> PostgresWholeProjects:
        return PostgresWholeProjects(self.sql)
