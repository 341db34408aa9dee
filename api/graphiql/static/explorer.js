"use strict";

// GraphiQL over this page's own address: the token goes into the header of each request and into connection_init.

const access = {
  get token() { return sessionStorage.getItem("renkei.token") || ""; },
  get language() { return sessionStorage.getItem("renkei.language") || "ja"; },
};

// A token and a language may come in the fragment, which no browser sends anywhere; it goes out of the address at once.
const given = new URLSearchParams(location.hash.slice(1));
for (const name of ["token", "language"]) {
  if (given.get(name)) sessionStorage.setItem(`renkei.${name}`, given.get(name));
}
if (given.get("token")) history.replaceState(null, "", location.pathname + location.search);

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

const SOME = "{ products(first: 1, filter: { kind: SINGLE }) { edges { node { id total listings { id } } } } }";
const NONE = { id: "the id of a product", listings: [] };

// A product to begin with; placeholders where nobody may read any.
async function someProduct() {
  const asked = { method: "POST", headers: { ...headers(), "content-type": "application/json" }, body: JSON.stringify({ query: SOME }) };
  const { data } = await (await fetch(url, asked)).json().catch(() => ({}));
  return data?.products?.edges[0]?.node ?? NONE;
}

const root = ReactDOM.createRoot(document.getElementById("explorer"));

// What is typed is kept in this tab only, as the token is.
async function show() {
  const product = await someProduct().catch(() => NONE);
  root.render(React.createElement(GraphiQL, {
    key: access.token + access.language,
    fetcher,
    storage: sessionStorage,
    defaultTabs: TABS.map(({ query, variables }) => ({ query, variables: variables && JSON.stringify(variables(product), null, 2) })),
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
