// The IDE page: who is signed in, the questions in the menu, and GraphiQL itself.
// The token lives in this tab's session storage and travels only in the Authorization header.
'use strict';

(() => {
  const TOKEN = 'adgraph.token';
  const TOKEN_OF = 'adgraph.token-of';
  const QUESTIONS = 'Questions';
  const SIGNED_OUT = 'adgraph.signed-out';
  const CHOSEN = 'adgraph.visitor';
  const element = React.createElement;
  const at = (id) => document.getElementById(id);
  // `demo`: the logins of the demo company and the page's own developer token, or null; `chosen`: the one the visitor took, by its name.
  const START = 'who-am-i-and-what-may-i-do';  // asked when the page is opened for the first time
  const session = { token: null, demo: null, chosen: sessionStorage.getItem(CHOSEN), turn: 0 };
  const editor = { rerun: null };

  // --- talking to the server ---------------------------------------------------------------------------------

  async function json(path, headers = {}) {
    const response = await fetch(path, { headers: { Accept: 'application/json', ...headers } });
    return { ok: response.ok, body: await response.json() };
  }

  // What the page names itself by, where applications must.
  const application = () => session.demo && session.demo.developerToken;

  function fetchAsCaller(url, init) {
    const headers = new Headers(init.headers);
    headers.set('Accept', 'application/graphql-response+json, application/json;q=0.9');
    if (session.token && !headers.has('Authorization')) headers.set('Authorization', `Bearer ${session.token}`);
    if (application() && !headers.has('DeveloperToken')) headers.set('DeveloperToken', application());
    return fetch(url, { ...init, headers });
  }

  const fetcher = GraphiQL.createFetcher({
    url: '/graphql',
    fetch: fetchAsCaller,
    subscriptionUrl: `${location.origin.replace(/^http/, 'ws')}/graphql`,
    // Read anew for every subscription: somebody else may have signed in since.
    wsConnectionParams: {
      get authorization() { return session.token && `Bearer ${session.token}`; },
      get developerToken() { return application() || undefined; },
    },
  });

  // --- who is signed in --------------------------------------------------------------------------------------

  function say(state, text) {
    at('who-dot').className = `dot ${state}`;
    at('who-text').textContent = text;
  }

  function showButtons() {
    at('who-change').textContent = session.token ? 'Use another token' : 'Paste a token';
    at('who-change').hidden = false;
    at('sign-out').hidden = !session.token;
    const current = visitorOf(session.token);
    for (const button of document.querySelectorAll('[data-visitor]')) {
      button.setAttribute('aria-pressed', String(!!current && button.dataset.visitor === current.userName));
    }
  }

  function openSignIn(open) {
    at('sign-in').hidden = !open;
    at('who-change').setAttribute('aria-expanded', String(open));
    if (open) at('token').focus();
  }

  async function signIn(token) {
    const turn = ++session.turn;
    const { ok, body } = await json('/graphiql/whoami', { Authorization: `Bearer ${token}` });
    // Who clicks twice means the second one, whichever answer comes first.
    if (turn !== session.turn) return false;
    if (!ok) {
      say('bad', body.errors[0].message);
      return false;
    }
    session.token = token;
    const visitor = visitorOf(token);
    sessionStorage.setItem(TOKEN, token);
    sessionStorage.setItem(TOKEN_OF, visitor ? visitor.userName : '');
    sessionStorage.removeItem(SIGNED_OUT);
    const where = visitor ? 'Signed in to the demo company as' : 'Signed in as';
    say('good', `${where} ${body.signedInAs}`);
    at('who-text').title = `Token “${body.label}”, valid until ${body.expiresAt}`;
    showButtons();
    return true;
  }

  function signOut() {
    session.token = null;
    session.turn += 1;
    sessionStorage.removeItem(TOKEN);
    sessionStorage.removeItem(TOKEN_OF);
    sessionStorage.setItem(SIGNED_OUT, 'yes');
    say('', 'Not signed in: queries answer nothing but the schema');
    showButtons();
  }

  async function useTyped() {
    const token = at('token').value.trim();
    if (!token) return;
    if (await signIn(token)) {
      at('token').value = '';
      openSignIn(false);
    }
    showButtons();
  }

  async function begin() {
    session.demo = (await json('/graphiql/session')).body.demo;
    // Since a restart the demo's logins have other tokens; the page knows them by these.
    const again = visitorNamed(sessionStorage.getItem(TOKEN_OF));
    const stored = again ? again.token : sessionStorage.getItem(TOKEN);
    const offered = session.demo && !sessionStorage.getItem(SIGNED_OUT) ? chosenVisitor().token : null;
    // A stored token may have expired since; the demo's own are new after every start.
    if (!(stored && (await signIn(stored))) && !(offered && (await signIn(offered)))) {
      if (!stored) signOut();
      openSignIn(!session.demo);
    }
    if (session.demo) showVisitors();
    showButtons();
  }

  // --- the demo's logins -------------------------------------------------------------------------------------

  const visitors = () => (session.demo ? session.demo.logins : []);
  const visitorOf = (token) => visitors().find((visitor) => visitor.token === token);
  const visitorNamed = (name) => visitors().find((visitor) => visitor.userName === name);
  const chosenVisitor = () => visitorNamed(session.chosen) || visitors()[0];

  function showVisitors() {
    at('visitors-list').replaceChildren(...visitors().map((visitor) => {
      const button = document.createElement('button');
      const [name, about] = [document.createElement('strong'), document.createElement('span')];
      button.type = 'button';
      button.dataset.visitor = visitor.userName;
      name.textContent = visitor.firstName;
      about.textContent = visitor.about;
      button.append(name, ' ', about);
      button.addEventListener('click', () => choose(visitor));
      const item = document.createElement('li');
      item.append(button);
      return item;
    }));
    at('visitors').hidden = false;
  }

  async function choose(visitor) {
    session.chosen = visitor.userName;
    sessionStorage.setItem(CHOSEN, visitor.userName);
    if ((await signIn(visitor.token)) && editor.rerun) editor.rerun();
  }

  // A question that names a login is asked as that one, any other as the one the visitor took. Who signed in with a
  // token of his own, or signed out, stays as he is.
  async function becomeFor(operation) {
    const current = visitorOf(session.token);
    if (!current) return;
    const wanted = visitorNamed(operation.login) || chosenVisitor();
    if (wanted !== current) await signIn(wanted.token);
  }

  at('who-change').addEventListener('click', () => openSignIn(at('sign-in').hidden));
  at('sign-out').addEventListener('click', signOut);
  at('token-use').addEventListener('click', useTyped);
  at('token').addEventListener('keydown', (event) => {
    if (event.key === 'Enter') useTyped();
    if (event.key === 'Escape') openSignIn(false);
  });

  // --- the questions -----------------------------------------------------------------------------------------

  const icon = () => element('svg', { viewBox: '0 0 24 24', fill: 'none', stroke: 'currentColor', strokeWidth: 1.6 },
    element('path', { d: 'M4 5h16v11H11l-5 4v-4H4z', strokeLinejoin: 'round' }),
    element('path', { d: 'M8 9h8M8 12h5', strokeLinecap: 'round' }));

  function Questions({ operations, first }) {
    const { queryEditor, variableEditor } = GraphiQL.React.useEditorContext({ nonNull: true });
    const latest = React.useRef(null);
    latest.current = GraphiQL.React.useExecutionContext({ nonNull: true });
    const wantedLast = React.useRef(null);
    const [wanted, setWanted] = React.useState('');
    const [chosen, setChosen] = React.useState(null);
    const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
    const shown = operations.filter((operation) => {
      const text = `${operation.question} ${operation.about} ${operation.name}`.toLowerCase();
      return words.every((word) => text.includes(word));
    });

    async function ask(operation) {
      if (!queryEditor) return;
      setChosen(operation.name);
      wantedLast.current = operation;
      await becomeFor(operation);
      if (wantedLast.current !== operation) return;
      queryEditor.setValue(operation.query);
      if (variableEditor) variableEditor.setValue(operation.variables);
      // GraphiQL learns the operation's name from the new text a moment later, and would send the old one until then.
      setTimeout(() => latest.current.run(), 350);
    }

    // The same question as another login: only a query, nobody's change is made twice.
    React.useEffect(() => {
      editor.rerun = () => {
        const asked = queryEditor && queryEditor.operations;
        if (asked && asked.length && asked.every((each) => each.operation === 'query')) latest.current.run();
      };
      return () => { editor.rerun = null; };
    }, [queryEditor]);

    React.useEffect(() => {
      if (first.operation && queryEditor && variableEditor) {
        ask(first.operation);
        first.operation = null;
      }
    }, [queryEditor, variableEditor]);

    return element('div', { className: 'questions' },
      element('h2', null, 'Questions'),
      element('p', null, 'Choose one: it is put into the editor and run.'),
      element('input', {
        type: 'search', placeholder: 'Find a question', 'aria-label': 'Find a question', value: wanted,
        onChange: (event) => setWanted(event.target.value),
      }),
      element('ul', null, shown.map((operation) => element('li', { key: operation.name },
        element('button', {
          type: 'button', className: operation.name === chosen ? 'chosen' : '', 'data-operation': operation.name,
          onClick: () => ask(operation),
        }, element('strong', null, operation.question), operation.about && element('span', null, operation.about),
        visitorNamed(operation.login) && element('span', { className: 'as' },
          `Asked as ${visitorNamed(operation.login).firstName}`))))),
      shown.length === 0 && element('p', { className: 'none' }, operations.length
        ? 'No question has all of these words.' : 'There are no files in queries/.'));
  }

  // --- the editor --------------------------------------------------------------------------------------------

  async function start() {
    const operations = (await json('/graphiql/operations')).body.operations;
    await begin();
    const named = operations.find((operation) => operation.name === location.hash.slice(1));
    const fresh = !localStorage.getItem('graphiql:tabState');
    const beginning = operations.find((operation) => operation.name === START) || operations[0];
    const first = { operation: named || (fresh && beginning) || null };
    const plugins = [
      { title: QUESTIONS, icon, content: () => element(Questions, { operations, first }) },
      GraphiQLPluginExplorer.explorerPlugin({ showAttribution: false }),
    ];
    ReactDOM.createRoot(at('graphiql')).render(element(Page, { plugins }));
  }

  // GraphiQL opens a plug-in given as `visiblePlugin` behind a closed pane; its button, drawn a little later, opens both.
  function openQuestions() {
    const button = document.querySelector(`button[aria-label="Show ${QUESTIONS}"]`);
    if (button) button.click();
    else requestAnimationFrame(openQuestions);
  }

  function Page({ plugins }) {
    React.useEffect(openQuestions, []);
    return element(GraphiQL, {
      fetcher, plugins, defaultQuery: '', defaultEditorToolsVisibility: 'variables', shouldPersistHeaders: false,
    }, element(GraphiQL.Logo, null, ' '));
  }

  start().catch((problem) => {
    at('graphiql').textContent = '';
    say('bad', `The page could not start: ${problem.message}. Is the server still running? Reload to try again.`);
  });
})();
