"""Brings Argilla's database up to date and creates the users and the workspace that are missing."""

import asyncio
import json

import alembic.config
from argilla_server.contexts import accounts
from argilla_server.database import ALEMBIC_CONFIG_FILE, AsyncSessionLocal, async_engine
from argilla_server.models import User, UserRole, Workspace, WorkspaceUser
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession


def prepare(request: str) -> None:
    """Safe to repeat; what people changed in Argilla (a password, a role) stays as it is."""
    wanted = json.loads(request)
    alembic.config.main(argv=["-c", ALEMBIC_CONFIG_FILE, "upgrade", "head"])
    asyncio.run(_create_missing(wanted))


async def _create_missing(wanted: dict) -> None:
    async with AsyncSessionLocal() as db:
        await _user(db, wanted["owner"], UserRole.owner)
        workspace = await _workspace(db, wanted["workspace"])
        for annotator in wanted["annotators"]:
            user = await _user(db, annotator, UserRole.annotator)
            await _membership(db, workspace, user)
        await db.commit()
    await async_engine.dispose()


async def _workspace(db: AsyncSession, name: str) -> Workspace:
    found = await db.scalar(select(Workspace).where(Workspace.name == name))
    return found or await _added(db, Workspace(name=name))


async def _user(db: AsyncSession, wanted: dict, role: UserRole) -> User:
    found = await db.scalar(select(User).where(User.username == wanted["username"]))
    return found or await _added(
        db,
        User(
            first_name=wanted["username"],
            username=wanted["username"],
            role=role,
            password_hash=accounts.hash_password(wanted["password"]),
            api_key=wanted["api_key"],
        ),
    )


async def _membership(db: AsyncSession, workspace: Workspace, user: User) -> None:
    key = {"workspace_id": workspace.id, "user_id": user.id}
    if await db.scalar(select(WorkspaceUser).filter_by(**key)) is None:
        await _added(db, WorkspaceUser(**key))


async def _added(db: AsyncSession, row):
    db.add(row)
    await db.flush()
    return row
