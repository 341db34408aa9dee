"""Who did something: a person, a token, or the system; by the note kept beside what they did."""

from domain.store.reads.models import (
    Either,
    Inside,
    Model,
    One,
    flag,
    moment,
    moments,
    text,
    texts,
    word,
    words,
)

USER = Model(
    "User",
    "users {t}",
    {
        **texts("name", "email"),
        "role": word("{t}.role"),
        "locale": word("{t}.locale"),
        "disabled": flag("{t}.disabled_at IS NOT NULL"),
        "invited_until": moment(
            "CASE WHEN {t}.invitation_until > clock_timestamp() THEN {t}.invitation_until END"
        ),
        **moments("last_seen_at"),
    },
)

API_TOKEN = Model(
    "ApiToken",
    "api_tokens {t}",
    {
        **texts("name"),
        "scopes": words("coalesce({t}.scopes, '{}'::text[])"),
        "role": word("{t}.role"),
        **moments("expires_at", "last_used_at", "revoked_at"),
    },
)


def actor(column: str = "actor") -> Either:
    """What the JSON of this column names (domain/model/actors.py)."""
    kind = f"{{t}}.{column} ->> 'kind'"
    own_id = f"({{t}}.{column} ->> 'id')::uuid"
    return Either(
        {
            "User": One("User", f"{{o}}.id = {own_id}", own_id, when=f"{kind} = 'USER'"),
            "ApiToken": One("ApiToken", f"{{o}}.id = {own_id}", own_id, when=f"{kind} = 'TOKEN'"),
            "SystemActor": Inside(
                {"name": text(f"{{t}}.{column} ->> 'name'")}, when=f"{kind} = 'SYSTEM'"
            ),
        }
    )
