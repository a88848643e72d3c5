"""Database connections of the search's own.

A request to Argilla holds one of its connections while it waits for us. Took we ours from the same
pool, then some thirty requests at once would each hold one and wait for another that never comes.
"""

from argilla_server.settings import settings
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

MOST_AT_ONCE = 10

_engine = create_async_engine(
    settings.database_url, pool_size=MOST_AT_ONCE, max_overflow=0, pool_timeout=120
)
new_session = async_sessionmaker(bind=_engine, autoflush=False, expire_on_commit=False)
