// A screen on Apollo Client: its cache is brought up to date by ids alone.
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { relayStylePagination } from "@apollo/client/utilities";
import { OperationTypeNode } from "graphql";
import { filter, firstValueFrom } from "rxjs";
import WebSocket from "ws";

import { Ear, converse } from "./dialogue.mjs";
import { address, changed, headers, operation, possibleTypes, rows, token, url, values } from "./screens.mjs";
import { following } from "./sockets.mjs";

globalThis.WebSocket ??= WebSocket;

const [GRID, SAVE, LIVE] = ["grid", "save_totals", "grid_live"].map((name) => gql(operation(name)));
const client = new ApolloClient({
  cache: new InMemoryCache({
    possibleTypes,
    typePolicies: {
      ...Object.fromEntries(values.map((name) => [name, { merge: true }])),
      Query: { fields: { products: relayStylePagination(["filter", "orderBy"]) } },
    },
  }),
  link: ApolloLink.split(
    ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
    new GraphQLWsLink(following(address, token)),
    new HttpLink({ uri: url, headers }),
  ),
});
const ear = new Ear();
const shown = () => client.readQuery({ query: GRID, variables: grid.variables });
let grid;

await converse({
  async first({ first }) {
    grid = client.watchQuery({ query: GRID, variables: { first } });
    grid.subscribe();
    const { data } = await firstValueFrom(grid.pipe(filter(({ loading }) => !loading)));
    return { rows: rows(data), after: data.eventCursor };
  },
  async more() {
    await grid.fetchMore({ variables: { after: shown().products.pageInfo.endCursor } });
  },
  async save({ code, total }) {
    const { node } = shown().products.edges.find(({ node }) => node.code === code);
    const items = [{ productId: node.id, total }];
    const { data } = await client.mutate({ mutation: SAVE, variables: { input: { items, reflect: false } } });
    return data.setStock.results.map(({ userErrors }) => userErrors);
  },
  shown: () => rows(shown()),
  follow({ after }) {
    client.subscribe({ query: LIVE, variables: { filter: {}, after } }).subscribe({
      next: ({ data, error }) => (error ? ear.hear(error.message) : ear.hear(...changed(data))),
      error: (cause) => ear.hear(cause.message),
    });
  },
  heard: ({ atLeast }) => ear.until(atLeast),
  // The names of those that the cache holds whole when all of them were asked.
  async keep({ queries }) {
    const asked = queries.map(([name, variables]) => [name, { query: gql(operation(name)), variables }]);
    for (const [, each] of asked) await client.query(each);
    return asked.filter(([, each]) => client.readQuery(each)).map(([name]) => name);
  },
});
