// The client graphql-ws: what it is answered, and with which code each of its misdeeds ends its socket. One answer, as JSON.
// node graphql_ws.mjs ADDRESS TOKEN PRODUCT IMPATIENT: an address at which connection_init is not waited for.
import { CloseCode } from "graphql-ws";
import WebSocket from "ws";

import { connected } from "./sockets.mjs";

const [address, token, productId, impatient] = process.argv.slice(2);

const WHO = { query: "query Who { viewer { locale } }" };
const SAVE = {
  query: `mutation Save($input: SetStockInput!) {
    setStock(input: $input) { results { product { total } userErrors { code } } } }`,
  variables: { input: { items: [{ productId, total: 7 }], reflect: false } },
};
const LIVE = { query: "subscription Live { diffEvents { reload events { change } } }" };

const told = ({ errors, data }) => errors ?? data;

const everything = async (client, payload) => {
  const results = [];
  for await (const result of client.iterate(payload)) results.push(told(result));
  return results;
};

const firstFrame = async (client) => {
  for await (const result of client.iterate(LIVE)) return told(result);
};

const ponged = (client) => new Promise((heard) => client.on("pong", (received) => received && heard(true)));

// How a client ends that says this once it may; `Socket` may say something else instead.
const ended = async ({ to = address, token: own = token, payloads = [WHO], ...options }) => {
  let closed;
  const end = new Promise((resolve) => (closed = resolve));
  const client = connected(to, own, { ...options, on: { closed } });
  for (const payload of payloads) client.subscribe(payload, { next() {}, error() {}, complete() {} });
  return (await end).code;
};

// A socket that passes on what `said` makes of each message.
const saying = (said) =>
  class extends WebSocket {
    send(message) {
      for (const each of said(message)) super.send(each);
    }
  };

class NoProtocol extends WebSocket {
  constructor(url) {
    super(url);
  }
}

const isInit = (message) => message.includes("connection_init");
const subscribing = JSON.stringify({ id: "1", type: "subscribe", payload: WHO });
const client = connected(address, token, { keepAlive: 50, lazy: false });

process.stdout.write(
  JSON.stringify({
    query: await everything(client, WHO),
    mutation: await everything(client, SAVE),
    subscription: await firstFrame(client),
    ponged: await ponged(client),
    ends: {
      [CloseCode.BadRequest]: await ended({ webSocketImpl: saying(() => ["{}"]) }),
      [CloseCode.Unauthorized]: await ended({ webSocketImpl: saying(() => [subscribing]) }),
      [CloseCode.Forbidden]: await ended({ token: "rk_unknown" }),
      [CloseCode.SubprotocolNotAcceptable]: await ended({ webSocketImpl: NoProtocol }),
      [CloseCode.ConnectionInitialisationTimeout]: await ended({
        to: impatient,
        webSocketImpl: saying((message) => (isInit(message) ? [] : [message])),
      }),
      [CloseCode.SubscriberAlreadyExists]: await ended({
        payloads: [LIVE, LIVE],
        generateID: () => "1",
      }),
      [CloseCode.TooManyInitialisationRequests]: await ended({
        webSocketImpl: saying((message) => (isInit(message) ? [message, message] : [message])),
      }),
    },
  }),
);
process.exit();
