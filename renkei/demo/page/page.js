// The demo's page: the smallest client of Renkei. Everything of ours is read, followed and changed through the public schema;
// only what the malls themselves say, and what is done to them, is asked of the demo's own address (/demo/…).
import { LANGUAGES, TEXTS } from "/demo/texts.js";

const CELL = "id quantityToShow notPushed", TROUBLE = "id level kind state message shop { id }";
const BOARD = `query Board($ids: [ID!]!) {
  nodes(ids: $ids) { ... on Product { id code name kind total sellable listings { ${CELL} shop { id } } } }
  shops(inUse: true) { id state mall { kind name } }
  syncErrors(filter: { states: [OPEN] }, first: 20) { edges { node { ${TROUBLE} } } }
  orders(first: 1) { edges { node { id } } }
  eventCursor
}`;
const FOLLOWED = {
  diffEvents: `subscription Differences($ids: [ID!], $after: EventCursor) {
    diffEvents(filter: { productIds: $ids }, after: $after) { cursor reload events { listing { ${CELL} } } } }`,
  stockEvents: `subscription Stock($ids: [ID!], $after: EventCursor) {
    stockEvents(filter: { productIds: $ids }, after: $after) { cursor reload events { product { id total sellable } order { id } } } }`,
  shopEvents: `subscription Shops($after: EventCursor) { shopEvents(after: $after) { cursor reload events { shop { id state } } } }`,
  errorEvents: `subscription Errors($after: EventCursor) { errorEvents(after: $after) { cursor reload events { error { ${TROUBLE} } } } }`,
};
const EXPLAIN = `query Explain($id: ID!) { node(id: $id) { ... on Listing { explain { text checks { ok text } } } } }`;
const ORDER = `query Followed($id: ID!) { node(id: $id) { ... on Order { number fetchedAt shop { id } lines {
  quantity product { id name } reached { sentAt shownAt shop { id } listing { product { id } } push { state sentAt appliedAt } } } } } }`;
const RENEW = `mutation Renew($input: UpdateShopInput!) { updateShop(input: $input) { userErrors { message } } }`;
const READ = `mutation Read($input: ReadMallStockInput!) { readMallStock(input: $input) { userErrors { message } } }`;

const LOOK_EVERY = 250, AGAIN_AFTER = 300, FOLLOW_AT_MOST = 6000, LOOKED_AT_AFTER = 2500, ARROW_STAYS = 2000, NOTE_STAYS = 6000, ERRORS_SHOWN = 3;
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
let api, ids, malls = {}, socket, turn = 0, spoken, caption, noted, lastOrder, followed = { id: null, since: -FOLLOW_AT_MOST };
const shops = new Map(), products = new Map(), listings = new Map(), errors = new Map();
const cells = new Map(), heads = new Map();
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
  const headers = { authorization, "content-type": "application/json", "accept-language": language };
  const answer = await fetch(`${api}/graphql`, { method: "POST", headers, body: JSON.stringify({ query, variables }) });
  const { data, errors } = await answer.json();
  const [refused] = errors ?? Object.values(data)[0]?.userErrors ?? [];
  if (refused) throw new Error(refused.message);
  return data;
}

async function readBoard() {
  const data = await ask(BOARD, { ids });
  for (const map of [shops, products, listings, errors, ...(spoken === language ? [] : [cells])]) map.clear();
  spoken = language;
  Object.assign($("graphiql"), { href: `${api}/graphql#token=${token}&language=${language}`, hidden: false });
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
    if (line !== socket) return;
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
    const refused = code === 4401 || code === 4403;
    put($("line"), `○ ${text(refused ? "refused" : "lost")}`);
    await wait(AGAIN_AFTER);
    if (!refused && line === socket) listen();
  };
}

function hear(name, frame) {
  if (!frame || frame.reload) return setTimeout(begin, AGAIN_AFTER);
  after[name] = frame.cursor;
  frame.events.forEach(HEARD[name]);
  draw();
}

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

// One order at a time, until it has arrived everywhere; one that takes long gives way to the next that comes in.
async function follow(id) {
  const age = () => performance.now() - followed.since;
  if (followed.id === id || age() < FOLLOW_AT_MOST) return;
  const mine = (followed = { id, since: performance.now() });
  while (followed === mine) {
    const order = (await ask(ORDER, { id }).catch(() => ({}))).node;
    if (order && showOrder(order)) break;
    await wait(age() < FOLLOW_AT_MOST ? AGAIN_AFTER : FOLLOW_AT_MOST / 4);
  }
  mine.since = -FOLLOW_AT_MOST;
}

async function explain(listing) {
  const { node } = await ask(EXPLAIN, { id: listing.id });
  const inTheWay = node.explain.checks.filter((check) => !check.ok).map((check) => ` ‖ ${check.text}`);
  const ours = listings.get(listing.id).quantityToShow;
  put($("why"), `${text("of", { ...named(listing), ours })}${node.explain.text}${inTheWay.join("")}`);
  $("explained").hidden = false;
}

// -- the malls --------------------------------------------------------------------------------------------------------

async function act(name, mall, more = {}) {
  const answer = await fetch(`/demo/${name}`, { method: "POST", headers: { authorization }, body: JSON.stringify({ mall, ...more }) });
  if (!answer.ok) throw new Error(text("failed"));
  return answer.json();
}

async function buy(listing) {
  const { code } = products.get(listing.product);
  const { missing } = await act("buy", shops.get(listing.shop.id).mall.kind, { code });
  note(text(missing ? "soldOut" : "bought", named(listing)));
}

async function renew(shop) {
  const { credentials } = await act("renew", shop.mall.kind);
  await ask(RENEW, { input: { id: shop.id, credentials, resume: true } });
}

async function raise(shop) {
  const listing = [...listings.values()].find((each) => each.shop.id === shop.id && products.get(each.product).kind === "SINGLE");
  const { quantity } = await act("raise", shop.mall.kind, { code: products.get(listing.product).code });
  note(text("raised", { ...named(listing), quantity }));
  await wait(LOOKED_AT_AFTER);
  await ask(READ, { input: { listings: { ids: [listing.id] } } });
  note(text(runs(shop) ? "looked" : "later", named(listing)));
}

const press = (doing) => doing().catch((error) => note(error.constructor === Error ? error.message : text("failed")));
const mallOf = ({ shop }) => shops.get(shop?.id)?.mall.name ?? "";
const named = (listing) => ({ mall: mallOf(listing), product: products.get(listing.product).name });

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

function show(state) {
  malls = state.malls;
  if (!api) {
    ({ api, products: ids } = state);
    begin();
  }
  const before = JSON.stringify(caption);
  caption = state.caption;
  if (JSON.stringify(caption) !== before) captioned();
  put($("here"), number(state.counted.here));
  put($("shadow"), number(state.counted.shadow));
  put($("orders"), text("orders", { count: number(state.counted.orders) }));
  draw();
}

// -- what is on the screen --------------------------------------------------------------------------------------------

function say(where, what) {
  clearTimeout(noted);
  put($("scene"), where);
  put($("says"), what);
}

const captioned = () => say(caption?.scene ? text("scene", caption) : "", caption?.[language] ?? "");

// What came of what the person at the page did, in the caption's place for a while.
function note(message) {
  say(text("you"), message);
  noted = setTimeout(captioned, NOTE_STAYS);
}

function showOrder(order) {
  lastOrder = order;
  const { quantity: units, product, reached } = order.lines.find((each) => products.has(each.product?.id)) ?? order.lines[0];
  put($("order"), text("order", { mall: mallOf(order), number: order.number, units, product: product?.name ?? "" }));
  const since = (moment) => number(Math.max(0, new Date(moment) - new Date(order.fetchedAt)));
  // A mall that was halted is told later, by the push that catches up. Sets with the product in them are not followed here.
  const later = ({ sentAt, push }) => !sentAt && new Date(push?.sentAt) > new Date(order.fetchedAt) && { sentAt: push.sentAt, shownAt: push.appliedAt };
  const chosen = reached.filter((each) => each.listing.product?.id === product?.id).map((each) => ({ ...each, ...later(each) }));
  const unsent = ({ shop, push }) => (!runs(shop) ? "held" : ["WAITING", "SENT"].includes(push?.state) ? "unsent" : "same");
  const stage = (each) => (each.shownAt ? "seen" : each.sentAt ? "sent" : unsent(each));
  $("reached").replaceChildren(...chosen.map((each) => {
    const times = text(stage(each), { sent: since(each.sentAt), seen: since(each.shownAt) });
    return made("li", {}, made("span", {}, mallOf(each)), made("b", {}, times));
  }));
  return chosen.every((each) => each.shownAt);
}

// Everything once; from then on only what has changed is touched, so that nothing loses the keyboard.
function build() {
  $("heads").replaceChildren(made("th", { scope: "col" }, text("product")), ...[...shops.values()].map(head));
  $("rows").replaceChildren(...[...products.values()].map(row));
}

function row(product) {
  const name = made("span", { title: product.name }, product.name), total = made("small", { id: `total-${product.id}` });
  const inOrder = [...shops.keys()].map((id) => product.listings.find((each) => each.shop.id === id));
  return made("tr", {}, made("th", { scope: "row" }, name, total), ...inOrder.map((each) => (each ? cell(listings.get(each.id)) : made("td", {}, "–"))));
}

function cell(listing) {
  const mall = made("b"), arrow = made("i"), ours = made("small");
  const why = made("button", { type: "button", className: "why", onclick: () => press(() => explain(listing)) }, mall, arrow, ours);
  const buying = { type: "button", className: "buy", ariaLabel: text("buyOn", named(listing)), onclick: () => press(() => buy(listing)) };
  const td = made("td", {}, why, made("button", buying, text("buy")));
  td.dataset.mall = mallOf(listing);
  cells.set(listing.id, { td, why, mall, arrow, ours, shown: null });
  return td;
}

function draw() {
  if (!shops.size) return;
  if (cells.size !== listings.size) build();
  for (const shop of shops.values()) drawHead(shop);
  for (const product of products.values()) {
    const { kind, total, sellable } = product;
    const [key, count] = kind === "SET" ? ["ofSet", sellable] : total < 0 ? ["oversold", -total] : ["total", total];
    put($(`total-${product.id}`), text(key, { count: number(count) }));
  }
  for (const listing of listings.values()) drawCell(listing);
  drawErrors();
}

// The worst first.
function drawErrors() {
  const open = [...errors.values()].sort((one, other) => other.level.localeCompare(one.level));
  const strip = open.slice(0, ERRORS_SHOWN).map((each) => {
    const where = made("b", {}, `${each.level === "LEVEL_9" ? "✖ 9" : "⚠ 8"} ${mallOf(each)}`);
    return made("li", { className: each.level }, where, ` ${each.message}`);
  });
  if (!open.length) strip.push(made("li", {}, `✓ ${text("noErrors")}`));
  if (open.length > ERRORS_SHOWN) strip.push(made("li", {}, text("more", { count: open.length - ERRORS_SHOWN })));
  if ($("errors").textContent !== strip.map((each) => each.textContent).join("")) $("errors").replaceChildren(...strip);
}

// A mall that is closed shows as such from the first refusal on, before anything had to be kept back.
function stateOf(shop) {
  const closed = [...errors.values()].some((each) => each.kind === "MAINTENANCE" && each.shop?.id === shop.id);
  return closed && shop.state === "RUNNING" ? "MAINTENANCE" : shop.state;
}

const runs = ({ id }) => shops.has(id) && stateOf(shops.get(id)) === "RUNNING";

function head(shop) {
  const { kind, name } = shop.mall, state = made("span");
  const button = (doing) => made("button", { type: "button", ariaDescription: name, onclick: () => press(doing) });
  const key = button(() => (has(shop, "expired") ? renew(shop) : act("expire", kind)));
  const door = button(() => act(has(shop, "maintenance") ? "open" : "close", kind));
  const hand = button(() => raise(shop));
  heads.set(shop.id, { state, key, door, hand });
  return made("th", { scope: "col", id: `mall-${kind}` }, made("b", {}, name), state, made("div", {}, key, door, hand));
}

const has = (shop, fault) => malls[shop.mall.kind]?.faults.includes(fault);

function drawHead(shop) {
  const { state, key, door, hand } = heads.get(shop.id), at = stateOf(shop);
  put(state, TEXTS.states[at]?.[language] ?? at);
  state.className = at;
  put(key, text(has(shop, "expired") ? "renew" : "expire"));
  put(door, text(has(shop, "maintenance") ? "open" : "maintain"));
  put(hand, text("raise"));
}

function drawCell(listing) {
  const parts = cells.get(listing.id), { td, why, mall, arrow, ours } = parts;
  const shop = shops.get(listing.shop.id), { code } = products.get(listing.product);
  const shown = malls[shop.mall.kind]?.numbers[code];
  const held = !runs(shop) || listing.notPushed.length > 0;
  const differs = shown !== undefined && shown !== listing.quantityToShow;
  td.className = differs ? (held ? "held differs" : "differs") : held ? "held" : "";
  put(mall, shown ?? "–");
  put(ours, `${held ? "‖ " : ""}${differs ? "≠ " : "= "}${listing.quantityToShow}`);
  const label = text("cell", { ...named(listing), shown: shown ?? "–", ours: listing.quantityToShow });
  if (why.ariaLabel !== label) why.ariaLabel = label;
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
}

$("language").onclick = () => {
  language = language === "ja" ? "en" : "ja";
  localStorage.setItem("renkei.language", language);
  $("enough").click();
  speak();
  if (api) begin();
};
$("enough").onclick = () => ($("explained").hidden = true);
addEventListener("keydown", ({ key }) => key === "Escape" && $("enough").click());
speak();
look();
