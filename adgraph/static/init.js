// The IDE page: who is signed in, the questions in the menu, and GraphiQL itself.
// The token lives in this tab's session storage and travels only in the Authorization header.
'use strict';

(() => {
  const TOKEN = 'adgraph.token';
  const QUESTIONS = 'Questions';
  const SIGNED_OUT = 'adgraph.signed-out';
  const element = React.createElement;
  const at = (id) => document.getElementById(id);
  const session = { token: null, demo: null };

  // --- talking to the server ---------------------------------------------------------------------------------

  async function json(path, headers = {}) {
    const response = await fetch(path, { headers: { Accept: 'application/json', ...headers } });
    return { ok: response.ok, body: await response.json() };
  }

  function fetchAsCaller(url, init) {
    const headers = new Headers(init.headers);
    headers.set('Accept', 'application/graphql-response+json, application/json;q=0.9');
    if (session.token && !headers.has('Authorization')) headers.set('Authorization', `Bearer ${session.token}`);
    const application = session.demo && session.demo.developerToken;
    if (application && !headers.has('DeveloperToken')) headers.set('DeveloperToken', application);
    return fetch(url, { ...init, headers });
  }

  const fetcher = GraphiQL.createFetcher({ url: '/graphql', fetch: fetchAsCaller });

  // --- who is signed in --------------------------------------------------------------------------------------

  function say(state, text) {
    at('who-dot').className = `dot ${state}`;
    at('who-text').textContent = text;
  }

  function showButtons() {
    at('who-change').textContent = session.token ? 'Use another token' : 'Paste a token';
    at('who-change').hidden = false;
    at('sign-out').hidden = !session.token;
  }

  function openSignIn(open) {
    at('sign-in').hidden = !open;
    at('who-change').setAttribute('aria-expanded', String(open));
    if (open) at('token').focus();
  }

  async function signIn(token) {
    const { ok, body } = await json('/graphiql/whoami', { Authorization: `Bearer ${token}` });
    if (!ok) {
      say('bad', body.errors[0].message);
      return false;
    }
    session.token = token;
    sessionStorage.setItem(TOKEN, token);
    sessionStorage.removeItem(SIGNED_OUT);
    const where = session.demo && session.demo.token === token ? 'Signed in to the demo company as' : 'Signed in as';
    say('good', `${where} ${body.signedInAs}`);
    at('who-text').title = `Token “${body.label}”, valid until ${body.expiresAt}`;
    return true;
  }

  function signOut() {
    session.token = null;
    sessionStorage.removeItem(TOKEN);
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
    const stored = sessionStorage.getItem(TOKEN);
    const offered = sessionStorage.getItem(SIGNED_OUT) ? null : session.demo && session.demo.token;
    // A stored token may have expired since; the demo's own is as good as new after every start.
    if (!(stored && (await signIn(stored))) && !(offered && (await signIn(offered)))) {
      if (!stored) signOut();
      openSignIn(!session.demo);
    }
    if (session.demo) at('sign-in-help').append(` Leave it empty and reload to be ${session.demo.signedInAs} again.`);
    showButtons();
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
    const [wanted, setWanted] = React.useState('');
    const [chosen, setChosen] = React.useState(null);
    const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
    const shown = operations.filter((operation) => {
      const text = `${operation.question} ${operation.about} ${operation.name}`.toLowerCase();
      return words.every((word) => text.includes(word));
    });

    function ask(operation) {
      if (!queryEditor) return;
      setChosen(operation.name);
      queryEditor.setValue(operation.query);
      if (variableEditor) variableEditor.setValue(operation.variables);
      // GraphiQL learns the operation's name from the new text a moment later, and would send the old one until then.
      setTimeout(() => latest.current.run(), 350);
    }

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
        }, element('strong', null, operation.question), operation.about && element('span', null, operation.about))))),
      shown.length === 0 && element('p', { className: 'none' }, operations.length
        ? 'No question has all of these words.' : 'There are no files in queries/.'));
  }

  // --- the editor --------------------------------------------------------------------------------------------

  async function start() {
    const operations = (await json('/graphiql/operations')).body.operations;
    await begin();
    const named = operations.find((operation) => operation.name === location.hash.slice(1));
    const fresh = !localStorage.getItem('graphiql:tabState');
    const first = { operation: named || (fresh && operations[0]) || null };
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
