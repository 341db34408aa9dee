// The demo's page: the smallest client of Renkei. Everything of ours is read, followed and changed through the public schema;
// only what the malls themselves say, and what is done to them, is asked of the demo's own address (/demo/…).
import { LANGUAGES, TEXTS } from "/demo/texts.js";

const BOARD = `
  query Board($ids: [ID!]!) {
    nodes(ids: $ids) {
      ... on Product { id code name kind total sellable listings { ...Cell shop { id } } }
    }
    shops(inUse: true) { id state mall { kind name } }
    syncErrors(filter: { states: [OPEN] }, first: 20) { edges { node { ...Trouble } } }
    orders(first: 1) { edges { node { id } } }
    eventCursor
  }
  fragment Cell on Listing { id quantityToShow notPushed push { id state } }
  fragment Trouble on SyncError { id level kind state message shop { id } }`;
const FOLLOWED = {
  diffEvents: `subscription Differences($ids: [ID!], $after: EventCursor) {
    diffEvents(filter: { productIds: $ids }, after: $after) { cursor reload events { listing {
      id quantityToShow notPushed push { id state } } } } }`,
  stockEvents: `subscription Stock($ids: [ID!], $after: EventCursor) {
    stockEvents(filter: { productIds: $ids }, after: $after) { cursor reload events {
      product { id total sellable } order { id } } } }`,
  shopEvents: `subscription Shops($after: EventCursor) {
    shopEvents(after: $after) { cursor reload events { shop { id state } } } }`,
  errorEvents: `subscription Errors($after: EventCursor) {
    errorEvents(after: $after) { cursor reload events { error { id level kind state message shop { id } } } } }`,
};
const EXPLAIN = `query Explain($id: ID!) { node(id: $id) { ... on Listing { explain { text checks { ok text } } } } }`;
const ORDER = `query Followed($id: ID!) { node(id: $id) { ... on Order {
  number fetchedAt shop { id } lines { quantity product { id name } reached { seconds sentAt shop { id } } } } } }`;
const RENEW = `mutation Renew($input: UpdateShopInput!) { updateShop(input: $input) { userErrors { message } } }`;
const READ = `mutation Read($input: ReadMallStockInput!) { readMallStock(input: $input) { userErrors { message } } }`;

const LOOK_EVERY = 250, AGAIN_AFTER = 300, FOLLOW_AT_MOST = 6000, LOOKED_AT_AFTER = 2500, ARROW_STAYS = 2000;
const $ = (id) => document.getElementById(id);
const still = matchMedia("(prefers-reduced-motion: reduce)");
const wait = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
const given = new URLSearchParams(location.hash.slice(1)).get("token");
if (given) {
  sessionStorage.setItem("renkei.token", given);
  history.replaceState(null, "", location.pathname);
}
const token = sessionStorage.getItem("renkei.token") ?? "", authorization = `Bearer ${token}`;
let language = localStorage.getItem("renkei.language") ?? (navigator.language.startsWith("ja") ? "ja" : "en");
let api, ids, malls = {}, socket;
const shops = new Map(), products = new Map(), listings = new Map(), errors = new Map();
const after = {}; // The cursor of each subscription's last frame: where it goes on after a lost line.

const text = (key, values = {}) => TEXTS[key][language].replace(/\{(\w+)\}/g, (_, name) => values[name]);
const number = (value) => value.toLocaleString(language);

function made(tag, attributes = {}, ...children) {
  const element = Object.assign(document.createElement(tag), attributes);
  element.append(...children);
  return element;
}

function put(element, value) {
  if (element.textContent !== String(value)) element.textContent = value;
}

// -- Renkei -----------------------------------------------------------------------------------------------------------

async function ask(query, variables) {
  const answer = await fetch(`${api}/graphql`, {
    method: "POST",
    headers: { authorization, "content-type": "application/json", "accept-language": language },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors: refused } = await answer.json();
  if (refused) throw new Error(refused[0].message);
  return data;
}

async function readBoard() {
  const data = await ask(BOARD, { ids });
  for (const map of [shops, products, listings, errors]) map.clear();
  for (const shop of data.shops) shops.set(shop.id, shop);
  for (const product of data.nodes) {
    products.set(product.id, product);
    for (const listing of product.listings) listings.set(listing.id, { ...listing, product: product.id });
  }
  for (const { node } of data.syncErrors.edges) errors.set(node.id, node);
  for (const name of Object.keys(FOLLOWED)) after[name] = data.eventCursor;
  draw();
  if (lastOrder) showOrder(lastOrder);
  if (!followed.id && data.orders.edges.length) follow(data.orders.edges[0].node.id);
}

const HEARD = {
  diffEvents: ({ listing }) => Object.assign(listings.get(listing.id) ?? {}, listing),
  stockEvents: ({ product, order }) => {
    Object.assign(products.get(product.id) ?? {}, product);
    if (order) follow(order.id);
  },
  shopEvents: ({ shop }) => Object.assign(shops.get(shop.id) ?? {}, shop),
  errorEvents: ({ error }) => (error.state === "OPEN" ? errors.set(error.id, error) : errors.delete(error.id)),
};

// graphql-transport-ws, by hand: a line that breaks is opened again, and every subscription goes on after its last frame.
function listen() {
  const line = (socket = new WebSocket(api.replace("http", "ws") + "/graphql", "graphql-transport-ws"));
  const send = (message) => line.send(JSON.stringify(message));
  line.onopen = () => send({ type: "connection_init", payload: { authorization, locale: language.toUpperCase() } });
  line.onmessage = ({ data }) => {
    const { type, id, payload } = JSON.parse(data);
    if (type === "ping") send({ type: "pong" });
    if (type === "connection_ack") {
      put($("line"), `● ${text("live")}`);
      for (const [name, query] of Object.entries(FOLLOWED))
        send({ type: "subscribe", id: name, payload: { query, variables: { ids, after: after[name] } } });
    }
    if (type === "error") setTimeout(begin, AGAIN_AFTER);
    if (type === "next") hear(id, payload.data?.[id]);
  };
  line.onclose = async ({ code }) => {
    if (line !== socket) return;
    put($("line"), `○ ${text(code === 4403 ? "refused" : "lost")}`);
    await wait(AGAIN_AFTER);
    if (code < 4000 && line === socket) listen();
  };
}

function hear(name, frame) {
  if (!frame || frame.reload) return setTimeout(begin, AGAIN_AFTER);
  after[name] = frame.cursor;
  frame.events.forEach(HEARD[name]);
  draw();
}

let turn = 0;

// Reads the board, then follows it from there; tried until it succeeds.
async function begin() {
  const old = socket, mine = ++turn;
  socket = undefined;
  old?.close();
  try {
    await readBoard();
    if (mine === turn) listen();
  } catch {
    put($("line"), `○ ${text("lost")}`);
    await wait(AGAIN_AFTER);
    if (mine === turn) begin();
  }
}

let followed = { id: null, since: -FOLLOW_AT_MOST };

// One order at a time, until it has arrived everywhere; the next one that comes in is then followed.
async function follow(id) {
  if (followed.id === id || performance.now() - followed.since < FOLLOW_AT_MOST) return;
  const mine = (followed = { id, since: performance.now() });
  while (performance.now() - mine.since < FOLLOW_AT_MOST) {
    const order = (await ask(ORDER, { id }).catch(() => ({}))).node;
    if (order && showOrder(order)) break;
    await wait(AGAIN_AFTER);
  }
  mine.since = -FOLLOW_AT_MOST;
}

async function explain(id) {
  $("explained").hidden = false;
  put($("why"), "…");
  const { node } = await ask(EXPLAIN, { id });
  const listing = listings.get(id);
  const inTheWay = node.explain.checks.filter((check) => !check.ok).map((check) => ` ‖ ${check.text}`);
  put($("why"), `${text("of", named(listing))}${node.explain.text}${inTheWay.join("")}`);
}

// -- the malls --------------------------------------------------------------------------------------------------------

async function act(name, mall, more = {}) {
  const body = JSON.stringify({ mall, ...more });
  const answer = await fetch(`/demo/${name}`, { method: "POST", headers: { authorization }, body });
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
}

async function buy(listing, button) {
  const { code } = products.get(listing.product);
  const { missing } = await act("buy", shops.get(listing.shop.id).mall.kind, { code });
  if (missing) button.animate?.([{ translate: "-3px" }, { translate: "3px" }, { translate: 0 }], still.matches ? 0 : 150);
  put($("says"), text(missing ? "soldOut" : "bought", named(listing)));
}

async function renew(shop) {
  const { credentials } = await act("renew", shop.mall.kind);
  await ask(RENEW, { input: { id: shop.id, credentials, resume: true } });
}

async function raise(shop) {
  const product = [...products.values()].find((each) => each.kind === "SINGLE");
  const listing = product.listings.find((each) => each.shop.id === shop.id);
  const { quantity } = await act("raise", shop.mall.kind, { code: product.code });
  put($("says"), text("raised", { ...named(listings.get(listing.id)), quantity }));
  await wait(LOOKED_AT_AFTER);
  await ask(READ, { input: { listings: { ids: [listing.id] } } });
  put($("says"), text("looked", named(listings.get(listing.id))));
}

const named = ({ shop, product }) => ({ mall: shops.get(shop.id).mall.name, product: products.get(product).name });

async function look() {
  for (;;) {
    try {
      const answer = await fetch("/demo/state", { headers: { authorization } });
      if (answer.status === 401) return put($("line"), text("refused"));
      if (answer.ok) show(await answer.json());
    } catch {
      put($("line"), `○ ${text("gone")}`);
    }
    await wait(LOOK_EVERY);
  }
}

let caption;

function show(state) {
  malls = state.malls;
  if (!api) {
    ({ api, products: ids } = state);
    Object.assign($("graphiql"), { href: `${api}/graphql#token=${token}`, hidden: false });
    begin();
  }
  if (JSON.stringify(state.caption) !== JSON.stringify(caption)) {
    caption = state.caption;
    captioned();
  }
  put($("here"), number(state.counted.here));
  put($("shadow"), number(state.counted.shadow));
  put($("orders"), text("orders", { count: number(state.counted.orders) }));
  draw();
}

// -- what is on the screen --------------------------------------------------------------------------------------------

function captioned() {
  put($("scene"), caption?.scene ? text("scene", caption) : "");
  put($("says"), caption?.[language] ?? "");
}

let lastOrder;

function showOrder(order) {
  lastOrder = order;
  const line = order.lines.find((each) => products.has(each.product?.id)) ?? order.lines[0];
  const what = { mall: shops.get(order.shop.id)?.mall.name, number: order.number, units: line.quantity };
  put($("order"), text("order", { ...what, product: line.product?.name ?? "" }));
  const marks = line.reached.map(({ shop, seconds, sentAt }) => {
    const sent = sentAt ? number(Math.max(0, new Date(sentAt) - new Date(order.fetchedAt))) : "…";
    const seen = seconds === null ? "…" : `${number(Math.round(seconds * 1000))} ms ✓`;
    return made("li", {}, `${shops.get(shop.id)?.mall.name}: `, made("b", {}, text("reached", { sent, seen })));
  });
  $("reached").replaceChildren(...marks);
  return line.reached.every(({ seconds }) => seconds !== null);
}

const cells = new Map();

// Everything once; from then on only what has changed is touched.
function build() {
  cells.clear();
  const head = (shop) => made("th", { scope: "col", id: `mall-${shop.mall.kind}` });
  $("heads").replaceChildren(made("th", { scope: "col" }, text("product")), ...[...shops.values()].map(head));
  $("rows").replaceChildren(...[...products.values()].map(row));
}

function row(product) {
  const names = [made("span", { title: product.name }, product.name), made("small", { id: `total-${product.id}` })];
  const about = made("th", { scope: "row" }, made("div", {}, ...names));
  const inOrder = [...shops.keys()].map((id) => product.listings.find((each) => each.shop.id === id));
  return made("tr", {}, about, ...inOrder.map((each) => (each ? cell(listings.get(each.id)) : made("td", {}, "–"))));
}

function cell(listing) {
  const why = made("button", { type: "button", className: "why", onclick: () => explain(listing.id) });
  const mall = made("b"), arrow = made("i"), ours = made("small");
  const button = made("button", { type: "button", className: "buy", onclick: () => buy(listing, button) }, text("buy"));
  button.setAttribute("aria-label", text("buyOn", named(listing)));
  why.append(mall, arrow, ours);
  const td = made("td", {}, why, button);
  cells.set(listing.id, { td, why, mall, arrow, ours, shown: null });
  return td;
}

function draw() {
  if (!shops.size) return;
  if (cells.size !== listings.size) build();
  for (const shop of shops.values()) drawHead(shop);
  for (const product of products.values()) {
    const has = product.kind === "SET" ? ["ofSet", product.sellable] : ["total", product.total];
    put($(`total-${product.id}`), text(has[0], { count: number(has[1]) }));
  }
  for (const listing of listings.values()) drawCell(listing);
  const strip = [...errors.values()].map(({ level, message }) => {
    const mark = level === "LEVEL_9" ? "✖ 9" : "⚠ 8";
    return made("li", { className: level }, made("b", {}, mark), ` ${message}`);
  });
  const told = strip.length ? strip : [made("li", {}, `✓ ${text("noErrors")}`)];
  if ($("errors").textContent !== told.map((each) => each.textContent).join("")) $("errors").replaceChildren(...told);
}

// A mall that is closed shows as such from the first refusal on, before anything had to be kept back.
function stateOf(shop) {
  const closed = [...errors.values()].some((each) => each.kind === "MAINTENANCE" && each.shop?.id === shop.id);
  return closed && shop.state === "RUNNING" ? "MAINTENANCE" : shop.state;
}

function drawHead(shop) {
  const head = $(`mall-${shop.mall.kind}`), faults = malls[shop.mall.kind]?.faults ?? [];
  const at = stateOf(shop), key = [at, shop.mall.name, language, ...faults].join();
  if (!head || head.dataset.key === key) return;
  head.dataset.key = key;
  const button = (label, onclick) => made("button", { type: "button", onclick }, text(label));
  const kind = shop.mall.kind;
  const acts = made("div", {},
    faults.includes("expired") ? button("renew", () => renew(shop)) : button("expire", () => act("expire", kind)),
    faults.includes("maintenance") ? button("open", () => act("open", kind)) : button("maintain", () => act("close", kind)),
    button("raise", () => raise(shop)));
  const state = made("span", { className: at }, TEXTS.states[at]?.[language] ?? at);
  head.replaceChildren(made("span", {}, shop.mall.name), state, acts);
}

function drawCell(listing) {
  const { td, why, mall, arrow, ours } = cells.get(listing.id), parts = cells.get(listing.id);
  const shop = shops.get(listing.shop.id), { code } = products.get(listing.product);
  const shown = malls[shop.mall.kind]?.numbers[code];
  const held = stateOf(shop) !== "RUNNING" || listing.notPushed.length > 0;
  const differs = shown !== undefined && shown !== listing.quantityToShow;
  td.className = differs ? (held ? "held differs" : "differs") : held ? "held" : "";
  put(mall, shown ?? "–");
  put(ours, `${held ? "‖ " : ""}${differs ? "≠ " : "= "}${listing.quantityToShow}`);
  why.setAttribute("aria-label", text("cell", { ...named(listing), shown, ours: listing.quantityToShow }));
  if (parts.shown !== null && shown !== undefined && parts.shown !== shown) flash(td, arrow, shown > parts.shown);
  parts.shown = shown ?? parts.shown;
}

function flash(td, arrow, up) {
  put(arrow, up ? "▲" : "▼");
  clearTimeout(arrow.timer);
  arrow.timer = setTimeout(() => put(arrow, ""), ARROW_STAYS);
  if (!still.matches) td.animate([{ boxShadow: "inset 0 0 0 99px #ffd54a" }, { boxShadow: "inset 0 0 0 99px #ffd54a00" }], 900);
}

function speak() {
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll("[data-text]")) put(element, text(element.dataset.text));
  put($("language"), LANGUAGES[language]);
  captioned();
  cells.clear();
}

$("language").onclick = () => {
  language = language === "ja" ? "en" : "ja";
  localStorage.setItem("renkei.language", language);
  speak();
  if (api) begin();
};
$("enough").onclick = () => ($("explained").hidden = true);
speak();
look();
