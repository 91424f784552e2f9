"""The page in a browser: it loads from here alone, signs in, and its questions get answers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from adgraph.app import DemoSession
from adgraph.commands.demo import prepare_demo
from adgraph.commands.tokens import issue
from storage.database import Database
from storage.demo import VISITORS, WORKED_USER_NAME
from tests.api.stub import StubGraph
from tests.e2e.conftest import Running, Serve

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

pytestmark = pytest.mark.browser
AINO, HANA = "aino.abernet@northwindreach.example", "hana@l4.example"

SUBSCRIPTIONS = {"what-changes-as-it-happens"}
"""Questions of the menu that are answered over a socket."""


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


def test_a_page_that_stayed_open_over_a_restart_goes_on_and_knows_its_visitor_when_loaded_again(
    watched: Watched, demo: Running, tmp_path: Path
) -> None:
    page = watched.page
    page.goto(f"{demo.url}/graphql")
    visitor(page, AINO).click()
    watched.answer(AINO)
    restarted = started_again(tmp_path)
    page.get_by_label("Execute query (Ctrl-Enter)").click()
    watched.answer(AINO)
    logins = [
        {"token": one.token, "userName": one.user_name, "firstName": one.first_name, "about": one.about}
        for one in restarted.logins
    ]
    page.route("**/graphiql/session", lambda route: route.fulfill(json={"demo": {"logins": logins}}))
    page.reload()
    watched.says(f"Signed in to the demo company as {AINO}")
    assert visitor(page, AINO).get_attribute("aria-pressed") == "true"
    assert watched.complaints == []


def started_again(folder: Path) -> DemoSession:
    """What another start of the demo writes into the database of the one that runs."""
    database = Database.open(f"sqlite:///{folder / 'adgraph.db'}")
    session = prepare_demo(database, now_ms=time.time_ns() // 1_000_000)
    database.close()
    return session


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


def visitor(page: Page, user_name: str) -> Locator:
    """The button of one of the demo's logins."""
    return page.locator(f'[data-visitor="{user_name}"]')


def test_each_visitor_is_shown_with_a_word_about_him_and_the_one_signed_in_is_marked(
    watched: Watched, demo: Running
) -> None:
    watched.page.goto(f"{demo.url}/graphql")
    watched.says("Signed in")
    row = watched.page.get_by_role("region", name="Ask as").get_by_role("button")
    assert row.all_inner_texts() == [f"{one.first_name}\n{one.about}" for one in VISITORS]
    assert row.and_(watched.page.locator('[aria-pressed="true"]')).all_inner_texts() == row.all_inner_texts()[:1]


def test_one_click_switches_the_login_and_asks_the_query_again(watched: Watched, demo: Running) -> None:
    watched.page.goto(f"{demo.url}/graphql")
    watched.answer(WORKED_USER_NAME)
    visitor(watched.page, AINO).click()
    watched.answer(f'"viewer": "{AINO}"')
    watched.says(f"Signed in to the demo company as {AINO}")
    watched.page.reload()
    watched.says(f"as {AINO}")
    assert visitor(watched.page, AINO).get_attribute("aria-pressed") == "true"
    assert watched.complaints == []


def test_the_keyboard_alone_switches_the_login(watched: Watched, demo: Running) -> None:
    page = watched.page
    page.goto(f"{demo.url}/graphql")
    watched.answer(WORKED_USER_NAME)
    page.get_by_role("button", name="Sign out").focus()
    for _ in range(2):
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.dataset.visitor") == VISITORS[1].user_name
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    watched.says(VISITORS[1].user_name)


def test_a_question_that_names_a_login_is_asked_as_it_and_the_next_one_as_who_was_chosen(
    watched: Watched, serve: Serve, queries: Path
) -> None:
    (queries / "c-links.graphql").write_text(f"# Where are our links?\n# as: {AINO}\nquery Links {{ viewer }}\n")
    page = watched.page
    page.goto(f"{serve(demo=True, graph=StubGraph(), queries=queries).url}/graphql")
    watched.answer(WORKED_USER_NAME)
    visitor(page, HANA).click()
    watched.answer(HANA)
    links = page.get_by_role("button", name="Where are our links?")
    assert links.inner_text() == "Where are our links?\nAsked as Aino"
    links.click()
    watched.answer(AINO)
    page.get_by_role("button", name="Who am I?").click()
    watched.answer(HANA)


def test_who_pasted_a_token_of_his_own_keeps_it_whatever_he_asks(
    watched: Watched, serve: Serve, queries: Path, tmp_path: Path
) -> None:
    (queries / "c-links.graphql").write_text(f"# Where are our links?\n# as: {AINO}\nquery Links {{ viewer }}\n")
    server = serve(demo=True, graph=StubGraph(), queries=queries)
    database = Database.open(f"sqlite:///{tmp_path / 'adgraph.db'}")
    now_ms = time.time_ns() // 1_000_000
    own = issue(database, user_name="erik@l3.example", label="own", days=1, now_ms=now_ms).token
    database.close()
    page = watched.page
    page.goto(f"{server.url}/graphql")
    watched.answer(WORKED_USER_NAME)
    page.get_by_role("button", name="Use another token").click()
    page.get_by_label("Access token").fill(own)
    page.keyboard.press("Enter")
    watched.says("Signed in as erik@l3.example")
    page.get_by_role("button", name="Where are our links?").click()
    watched.answer('"viewer": "erik@l3.example"')


def test_switching_the_login_never_sends_a_mutation_again(watched: Watched, serve: Serve) -> None:
    page = watched.page
    page.goto(f"{serve(demo=True).url}/graphql#how-do-we-add-an-ad-account")
    watched.answer('"addAdAccount"')
    before = watched.asked.count(page.url.partition("#")[0])
    visitor(page, HANA).click()
    watched.says(HANA)
    page.wait_for_timeout(600)
    assert watched.asked.count(page.url.partition("#")[0]) == before


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_is_written_about_logins_can_be_read(browser: Browser, serve: Serve, scheme: str) -> None:
    context = browser.new_context(color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{serve(demo=True).url}/graphql")
    page.locator("[data-visitor]").first.wait_for()
    page.locator(".questions .as").first.wait_for()
    ratios = page.evaluate(CONTRASTS, ".visitors h2, .visitors strong, .visitors span, .questions .as, #who-text")
    context.close()
    assert len(ratios) > 15
    assert min(ratios) >= 4.5


CONTRASTS = """(selector) => {
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => parts(colour).slice(0, 3).map((one) => one / 255)
    .map((one) => (one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4))
    .reduce((sum, one, at) => sum + one * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = (element) => {
    const colour = getComputedStyle(element).backgroundColor;
    return parts(colour)[3] === 0 ? behind(element.parentElement) : colour;
  };
  return [...document.querySelectorAll(selector)].map((element) => {
    const [a, b] = [light(getComputedStyle(element).color), light(behind(element))].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05);
  });
}"""
"""Contrast of text against what is behind it, as WCAG 2 measures it."""


def test_without_demo_a_token_is_pasted_and_never_shown(watched: Watched, serve: Serve, queries: Path) -> None:
    server = serve(demo=True, graph=StubGraph(), queries=queries)
    assert server.token
    plain = serve(demo=False, ide=True, introspection=True, graph=StubGraph(), queries=queries)
    page = watched.page
    page.goto(f"{plain.url}/graphql")
    watched.says("Not signed in")
    assert not page.get_by_text("Ask as").is_visible()
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


def test_a_subscription_of_the_menu_is_told_its_first_event(watched: Watched, serve: Serve) -> None:
    server = serve(demo=True)
    [name] = SUBSCRIPTIONS
    watched.page.goto(f"{server.url}/graphql#{name}")
    assert "L1 manages L2" in watched.answer('"cursor"')
    assert watched.complaints == []


def test_every_question_of_the_real_demo_is_answered(watched: Watched, serve: Serve) -> None:
    server = serve(demo=True)
    watched.page.goto(f"{server.url}/graphql")
    watched.answer('"data"')
    questions = watched.page.locator("[data-operation]")
    names = [each.get_attribute("data-operation") for each in questions.all()]
    assert len(names) >= 12
    for name in set(names) - SUBSCRIPTIONS:
        with watched.page.expect_response(
            lambda reply: reply.request.method == "POST" and "IntrospectionQuery" not in (reply.request.post_data or "")
        ) as replied:
            watched.page.locator(f'[data-operation="{name}"]').click()
        assert "errors" not in replied.value.json(), name
        assert replied.value.json()["data"], name
    assert watched.complaints == []
