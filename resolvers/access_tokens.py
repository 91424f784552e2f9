"""The viewer's own access tokens: listed, issued, revoked. Whose they are is never asked: they are always his.

A token issued with another one opens no more, lives no longer, and ends when that one is revoked. So who steals a token
cannot keep what it opens by making himself a second one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from resolvers.account_parts import refuse_all
from resolvers.errors import Code, Refusal
from resolvers.paging import BY_ID, DEFAULT_PAGE_SIZE, Connection, Edge, Page, decode_cursor, fingerprint
from resolvers.rules.access_tokens import MOST_LIVE_TOKENS, AskedToken, Issuer, expiry_of, problems_of_asked_token
from resolvers.rules.write_codes import WriteCode
from resolvers.session import CREDENTIAL, Session
from resolvers.writing import WriteSession, not_there, refused
from storage.records.ids import AccessTokenId
from storage.tokens import (
    LAST_ID,
    NO_ID,
    NewToken,
    TokenRow,
    TokenState,
    count_live_tokens,
    count_tokens,
    issue_token,
    names_of,
    read_some_tokens,
    read_token,
    revoke_token,
)

KIND = "AccessToken"


def tokens_of_viewer(session: Session, page: Page) -> Connection[TokenRow]:
    """All tokens the viewer's login ever had, newest first. Cost: one SELECT a page. Raises: Refusal INVALID_CURSOR."""
    login = session.viewer.login_id
    scope = fingerprint("accessTokens", login)
    below = LAST_ID if page.after is None else decode_cursor(scope, page.after, BY_ID)[0]
    above = NO_ID if page.before is None else decode_cursor(scope, page.before, BY_ID)[0]
    size = page.size or DEFAULT_PAGE_SIZE
    rows = read_some_tokens(
        session.transaction, login, above=above, below=below, limit=size + 1, newest_first=not page.backwards
    )
    more = len(rows) > size
    rows = rows[:size][::-1] if page.backwards else rows[:size]
    session.register(CREDENTIAL, [row.id for row in rows])
    return Connection(
        [Edge(row, (row.id,), scope) for row in rows],
        page.before is not None or (more and not page.backwards),
        page.after is not None or (more and page.backwards),
        lambda: count_tokens(session.transaction, login),
        0,
    )


def own_token(session: Session, token_id: AccessTokenId) -> TokenRow | None:
    """A token of the viewer's login; another's is not there. Cost: one SELECT."""
    row = read_token(session.transaction, token_id)
    return row if row is not None and row.login_id == session.viewer.login_id else None


def issue_access_token(session: WriteSession, asked: AskedToken) -> Mapping[str, Any]:
    """Issue a token to the viewer himself; its secret is left in the session, for this answer alone.

    Raises: Refused; Refusal UNAUTHENTICATED when the token it is asked for with was revoked meanwhile.
    """
    viewer = session.viewer
    issuer = _issuer(session)
    refuse_all(problems_of_asked_token(asked, issuer, session.now))
    if count_live_tokens(session.transaction, viewer.login_id, session.now) >= MOST_LIVE_TOKENS:
        raise refused(
            WriteCode.TOO_MANY_TOKENS,
            f"Your login has {MOST_LIVE_TOKENS} tokens that are good, and no login has more: revoke one that is no"
            " longer needed.",
        )
    new = NewToken(
        viewer.login_id,
        asked.label.strip(),
        frozenset(asked.scopes),
        expiry_of(asked, issuer, session.now),
        viewer.token_id,
    )
    _ = session.stamp
    issued = issue_token(session.transaction, new, session.now)
    if not session.rolls_back:
        session.secret = issued.token
    session.note(KIND, issued.id, None, described(new))
    return {"id": issued.id}


def described(new: NewToken) -> dict[str, Any]:
    """A new token as the audit log tells it: all but the secret."""
    return {
        "login_id": new.login_id,
        "label": new.label,
        "scopes": names_of(new.scopes),
        "expires_at": new.expires_at_ms,
        "issued_by_id": new.issued_by,
    }


def _issuer(session: WriteSession) -> Issuer:
    viewer = session.viewer
    if viewer.token_expires_at is None:
        raise refused(WriteCode.TOKEN_REQUIRED, "Access tokens are issued to who shows one: send a token.")
    if viewer.token_id is not None:
        # Read again among the writers: who revokes a token must not be outrun by who issues another one with it.
        row = read_token(session.transaction, viewer.token_id)
        if row is None or row.state(session.now) is not TokenState.GOOD:
            message = "The access token of this request was revoked meanwhile, and opens nothing any more."
            raise Refusal(Code.UNAUTHENTICATED, message, number=105)
    return Issuer(viewer.scopes, viewer.token_expires_at)


def revoke_access_token(session: WriteSession, token_id: AccessTokenId) -> Mapping[str, Any]:
    """Revoke a token of the viewer's, and those that were issued with it. Raises: Refused."""
    row = own_token(session, token_id)
    if row is None:
        raise not_there("tokenId")
    if row.revoked_at_ms is not None:
        raise refused(WriteCode.TOKEN_REVOKED, "The token was revoked before; it opens nothing.", "tokenId")
    _ = session.stamp
    ended = revoke_token(session.transaction, token_id, session.now)
    for one in ended:
        session.note(KIND, one, {"revoked_at": None}, {"revoked_at": session.now})
    return {"id": token_id, "also": ended[1:]}
