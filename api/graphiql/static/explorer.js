"use strict";

// GraphiQL over this page's own address: the token goes into the header of each request and into connection_init.

const access = {
  get token() { return sessionStorage.getItem("renkei.token") || ""; },
  get language() { return sessionStorage.getItem("renkei.language") || "ja"; },
};

const url = location.origin + "/graphql";

function headers() {
  const own = { "accept-language": access.language };
  return access.token ? { ...own, authorization: `Bearer ${access.token}` } : own;
}

// Without a token the cookie of a signed-in person serves. A lost socket ends what is followed: retrying would begin again
// at the first cursor, and show what was shown already.
const socket = graphqlWs.createClient({
  url: url.replace(/^http/, "ws"),
  retryAttempts: 0,
  connectionParams: () => {
    const locale = access.language.toUpperCase();
    return access.token ? { locale, authorization: `Bearer ${access.token}` } : { locale };
  },
});

const fetcher = GraphiQL.createFetcher({
  url,
  wsClient: socket,
  fetch: (address, options) => fetch(address, { ...options, headers: { ...options.headers, ...headers() } }),
});

const WELCOME = `# Enter a token above, then ask.
{
  viewer { account { name } permissions locale }
}
`;

const root = ReactDOM.createRoot(document.getElementById("explorer"));

function show() {
  root.render(React.createElement(GraphiQL, {
    key: access.token + access.language,
    fetcher,
    defaultQuery: WELCOME,
    shouldPersistHeaders: false,
  }));
}

const token = document.getElementById("token");
const language = document.getElementById("language");
token.value = access.token;
language.value = access.language;

document.getElementById("access").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem("renkei.token", token.value.trim().replace(/^bearer\s+/i, ""));
  sessionStorage.setItem("renkei.language", language.value);
  socket.terminate();
  show();
});

show();
