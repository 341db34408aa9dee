// Apollo's automatic persisted queries: what goes over the line, as JSON.
import { createHash } from "node:crypto";

import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";

import { Ear } from "./dialogue.mjs";
import { headers, operation, rows, url } from "./screens.mjs";

const GRID = gql(operation("grid"));
const line = new Ear();

const listening = async (address, init) => {
  const answer = await fetch(address, init);
  const sent = init.body ?? new URL(address).search;
  line.hear({ method: init.method, document: sent.includes("products"), status: answer.status });
  return answer;
};
const client = () =>
  new ApolloClient({
    cache: new InMemoryCache(),
    link: ApolloLink.from([
      new PersistedQueryLink({
        sha256: (text) => createHash("sha256").update(text).digest("hex"),
        useGETForHashedQueries: true,
      }),
      new HttpLink({ uri: url, headers, fetch: listening }),
    ]),
  });

const asked = async (by) => {
  const { data } = await by.query({ query: GRID, variables: { first: 3 } });
  return rows(data).length;
};
const shown = [await asked(client()), await asked(client())];
process.stdout.write(JSON.stringify({ shown, sent: line.heard }));
process.exit();
