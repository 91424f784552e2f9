"""The page in a browser: it loads from here alone, signs in, and its questions get answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from storage.demo import WORKED_USER_NAME
from tests.api.stub import StubGraph
from tests.e2e.conftest import Running, Serve

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser


class Watched:
    """A page, with everything it asked for and everything it complained about."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.asked: list[str] = []
        self.complaints: list[str] = []
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("pageerror", lambda problem: self.complaints.append(str(problem)))
        page.on(
            "console", lambda said: self.complaints.append(said.text) if said.type in ("error", "warning") else None
        )

    def answer(self, text: str) -> str:
        """The reply shown, once it has this text in it."""
        shown = self.page.locator(".result-window", has_text=text)
        shown.wait_for(timeout=10_000)
        return shown.inner_text()

    def says(self, text: str) -> None:
        """Wait until the bar says so."""
        self.page.locator("#who-text", has_text=text).wait_for(timeout=10_000)


@pytest.fixture
def watched(browser: Browser) -> Iterator[Watched]:
    """A new page in a window of its own, with nothing remembered."""
    context = browser.new_context(viewport={"width": 1_280, "height": 760})
    yield Watched(context.new_page())
    context.close()


@pytest.fixture
def queries(tmp_path: Path) -> Path:
    """Two questions for the stub."""
    folder = tmp_path / "queries"
    folder.mkdir()
    (folder / "a-who.graphql").write_text("# Who am I?\nquery Who { viewer }\n")
    (folder / "b-account.graphql").write_text(
        "# Which account is this?\n# By its id.\nquery Account($id: ID!) { managerAccount(id: $id) { id name } }\n"
    )
    (folder / "b-account.variables.json").write_text('{"id": "222"}\n')
    return folder


@pytest.fixture
def demo(serve: Serve, queries: Path) -> Running:
    """The demo, with the stub for the graph."""
    return serve(demo=True, graph=StubGraph(), queries=queries)


def test_the_page_asks_no_other_host_and_breaks_no_policy(watched: Watched, demo: Running) -> None:
    watched.page.goto(f"{demo.url}/graphql")
    watched.answer(WORKED_USER_NAME)
    watched.page.get_by_label("Show Documentation Explorer").click()
    watched.page.get_by_text("A GraphQL schema provides").wait_for()
    watched.page.get_by_label("Show GraphiQL Explorer").click()
    assert watched.asked
    assert [url for url in watched.asked if not url.startswith((f"{demo.url}/", "data:"))] == []
    assert watched.complaints == []


def test_in_demo_mode_the_page_is_signed_in_and_says_so(watched: Watched, demo: Running) -> None:
    watched.page.goto(f"{demo.url}/graphql")
    watched.says(f"Signed in to the demo company as {WORKED_USER_NAME}")
    assert f'"viewer": "{WORKED_USER_NAME}"' in watched.answer(WORKED_USER_NAME)


def test_the_demo_page_names_itself_where_applications_must(watched: Watched, serve: Serve, queries: Path) -> None:
    server = serve(demo=True, developer_tokens="required", graph=StubGraph(), queries=queries)
    watched.page.goto(f"{server.url}/graphql")
    assert f'"viewer": "{WORKED_USER_NAME}"' in watched.answer(WORKED_USER_NAME)
    assert watched.complaints == []


def test_a_question_from_the_menu_is_loaded_with_its_variables_and_run(watched: Watched, demo: Running) -> None:
    watched.page.goto(f"{demo.url}/graphql")
    watched.answer(WORKED_USER_NAME)
    watched.page.get_by_role("button", name="Which account is this?").click()
    assert '"id": "222"' in watched.answer("Manager Account L1")
    assert "query Account" in watched.page.locator(".graphiql-query-editor").inner_text()


def test_an_address_can_name_a_question(watched: Watched, demo: Running) -> None:
    watched.page.goto(f"{demo.url}/graphql#b-account")
    assert '"id": "222"' in watched.answer("Manager Account L1")


def test_questions_are_found_by_their_words(watched: Watched, demo: Running) -> None:
    watched.page.goto(f"{demo.url}/graphql")
    watched.page.get_by_label("Find a question").fill("account by")
    assert watched.page.locator("[data-operation]").all_inner_texts() == ["Which account is this?\nBy its id."]


def test_signing_out_holds_until_signed_in_again(watched: Watched, demo: Running) -> None:
    page = watched.page
    page.goto(f"{demo.url}/graphql")
    watched.says("Signed in")
    page.get_by_role("button", name="Sign out").click()
    watched.says("Not signed in")
    page.reload()
    watched.says("Not signed in")
    page.get_by_label("Execute query (Ctrl-Enter)").click()
    assert '"viewer": null' in watched.answer("viewer")


def test_without_demo_a_token_is_pasted_and_never_shown(watched: Watched, serve: Serve, queries: Path) -> None:
    server = serve(demo=True, graph=StubGraph(), queries=queries)
    assert server.token
    plain = serve(demo=False, ide=True, introspection=True, graph=StubGraph(), queries=queries)
    page = watched.page
    page.goto(f"{plain.url}/graphql")
    watched.says("Not signed in")
    page.get_by_label("Access token").fill("adg_wrong")
    page.get_by_role("button", name="Sign in").click()
    watched.says("not known here")
    page.get_by_label("Access token").fill(server.token)
    page.keyboard.press("Enter")
    watched.says(f"Signed in as {WORKED_USER_NAME}")
    page.reload()
    watched.says(f"Signed in as {WORKED_USER_NAME}")
    assert server.token not in page.content()
    assert not any(server.token in url for url in watched.asked)


def test_the_page_may_not_be_framed(watched: Watched, demo: Running) -> None:
    watched.page.goto(f"{demo.url}/healthz")
    watched.page.set_content(f'<iframe src="{demo.url}/graphql"></iframe>')
    watched.page.wait_for_timeout(500)
    [_, frame] = watched.page.frames
    assert "graphiql" not in frame.content()


def test_every_question_of_the_real_demo_is_answered(watched: Watched, serve: Serve) -> None:
    server = serve(demo=True)
    watched.page.goto(f"{server.url}/graphql")
    watched.answer('"data"')
    questions = watched.page.locator("[data-operation]")
    names = [each.get_attribute("data-operation") for each in questions.all()]
    assert len(names) >= 12
    for name in names:
        with watched.page.expect_response(
            lambda reply: reply.request.method == "POST" and "IntrospectionQuery" not in (reply.request.post_data or "")
        ) as replied:
            watched.page.locator(f'[data-operation="{name}"]').click()
        assert "errors" not in replied.value.json(), name
        assert replied.value.json()["data"], name
    assert watched.complaints == []
