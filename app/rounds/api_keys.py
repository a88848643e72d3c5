"""Keys: made, known again by their hash, and revoked."""

import hashlib
import secrets

from app.core.entities import ApiKey, Role
from app.core.errors import NotAuthenticated, WrongInput
from app.ports.store import Store

KEY_PREFIX = "rnd_"


def create_key(store: Store, name: str, role: str, *, actor: str) -> tuple[ApiKey, str]:
    """A new API key. The key itself is given once and kept nowhere."""
    plain = KEY_PREFIX + secrets.token_urlsafe(32)
    return add_key(store, name, role, plain, actor=actor), plain


def add_key(store: Store, name: str, role: str, plain: str, *, actor: str) -> ApiKey:
    if not 1 <= len(name) <= 100 or not name.isprintable():
        raise WrongInput("A key needs a name of 1 to 100 printable characters.", field="name")
    try:
        checked = Role(role)
    except ValueError:
        raise WrongInput("role must be admin, operator or viewer.", field="role") from None
    with store.transaction() as tx:
        key = tx.keys.add(name, checked, plain[:8], hash_of_key(plain))
        tx.events.add("key.created", actor, name=name, role=role)
    return key


def ensure_key(store: Store, name: str, role: str, plain: str) -> None:
    """The key is known under this hash; for keys that somebody else keeps."""
    with store.transaction() as tx:
        if tx.keys.by_hash(hash_of_key(plain)) is not None:
            return
        if any(key.name == name and key.revoked_at is None for key in tx.keys.all()):
            tx.keys.revoke(name)
    add_key(store, name, role, plain, actor="system")


def revoke_key(store: Store, name: str, *, actor: str) -> ApiKey:
    with store.transaction() as tx:
        key = tx.keys.revoke(name)
        tx.events.add("key.revoked", actor, name=name)
    return key


def authenticate(store: Store, plain: str) -> ApiKey:
    with store.transaction() as tx:
        key = tx.keys.by_hash(hash_of_key(plain))
        if key is None:
            raise NotAuthenticated("The API key is unknown or revoked.")
        tx.keys.touch(key.id)
    return key


def hash_of_key(plain: str) -> bytes:
    """Keys are long and random, so a plain hash cannot be reversed by guessing."""
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).digest()
