// The same screen on urql with Graphcache, which knows the schema.
import { Client, fetchExchange, subscriptionExchange } from "@urql/core";
import { cacheExchange } from "@urql/exchange-graphcache";
import { relayPagination } from "@urql/exchange-graphcache/extras";
import { introspectionFromSchema } from "graphql";

import { Ear, converse } from "./dialogue.mjs";
import { address, changed, headers, operation, rows, schema, token, url, withoutId } from "./screens.mjs";
import { following } from "./sockets.mjs";

const [GRID, SAVE, LIVE] = ["grid", "save_totals", "grid_live"].map(operation);
const live = following(address, token);
const client = new Client({
  url,
  fetchOptions: { headers },
  exchanges: [
    cacheExchange({
      schema: introspectionFromSchema(schema),
      keys: Object.fromEntries(withoutId.map((name) => [name, () => null])),
      resolvers: { Query: { products: relayPagination() } },
    }),
    fetchExchange,
    subscriptionExchange({
      forwardSubscription: (request) => ({
        subscribe: (sink) => ({ unsubscribe: live.subscribe(request, sink) }),
      }),
    }),
  ],
});
const ear = new Ear();
let variables;

const page = async (more) => {
  variables = { ...variables, ...more };
  const { data, error } = await client.query(GRID, variables).toPromise();
  if (error) throw error;
  return data;
};
const shown = () => client.readQuery(GRID, variables).data;

await converse({
  async first({ first }) {
    const data = await page({ first });
    return { rows: rows(data), after: data.eventCursor };
  },
  async more() {
    await page({ after: shown().products.pageInfo.endCursor });
  },
  async save({ code, total }) {
    const { node } = shown().products.edges.find(({ node }) => node.code === code);
    const items = [{ productId: node.id, total }];
    const { data, error } = await client.mutation(SAVE, { input: { items, reflect: false } }).toPromise();
    if (error) throw error;
    return data.setStock.results.map(({ userErrors }) => userErrors);
  },
  shown: () => rows(shown()),
  follow({ after }) {
    client.subscription(LIVE, { filter: {}, after }).subscribe(({ data, error }) => {
      if (error) ear.hear(error.message);
      else ear.hear(...changed(data));
    });
  },
  heard: ({ atLeast }) => ear.until(atLeast),
  // The names of those that the cache holds whole when all of them were asked.
  async keep({ queries }) {
    const asked = queries.map(([name, variables]) => [name, operation(name), variables]);
    for (const [, ...each] of asked) {
      const { error } = await client.query(...each).toPromise();
      if (error) throw error;
    }
    return asked.filter(([, ...each]) => client.readQuery(...each)?.data).map(([name]) => name);
  },
});
