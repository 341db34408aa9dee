// A screen's logic on generated types: it compiles only as long as they say what the schema says.
import type { Client } from "@urql/core";

import { GridDocument, GridLiveDocument, SaveTotalsDocument } from "./operations.js";
import type { GridQuery, SaveTotalsMutation } from "./operations.js";
import type { Product } from "./schema.js";

type Row = NonNullable<GridQuery["products"]>["edges"][number]["node"];
type Refusal = NonNullable<SaveTotalsMutation["setStock"]>["userErrors"][number];

export async function rows(client: Client, text: string): Promise<Row[]> {
  const { data } = await client.query(GridDocument, { filter: { text }, first: 50 }).toPromise();
  return data?.products?.edges.map(({ node }) => node) ?? [];
}

export async function save(client: Client, row: Row, total: number): Promise<Refusal[]> {
  const items = [{ productId: row.id, total, expectedTotal: row.total }];
  const { data } = await client.mutation(SaveTotalsDocument, { input: { items } }).toPromise();
  return data?.setStock?.userErrors ?? [];
}

export function follow(client: Client, after: string, show: (listing: string) => void): () => void {
  const frames = client.subscription(GridLiveDocument, { filter: {}, after });
  return frames.subscribe(({ data }) => {
    for (const event of data?.diffEvents.events ?? []) show(event.listing.id);
  }).unsubscribe;
}

export const isOversold = ({ total }: Pick<Product, "total">): boolean => (total ?? 0) < 0;

export const refused = (client: Client): unknown[] => [
  // @ts-expect-error: a name that the schema does not know.
  client.query(GridDocument, { filter: { txt: "cup" } }),
  // @ts-expect-error: a total is a number.
  client.mutation(SaveTotalsDocument, { input: { items: [{ productId: "1", total: "7" }] } }),
  // @ts-expect-error: an operation's input is not optional.
  client.mutation(SaveTotalsDocument, {}),
];

// @ts-expect-error: a set has no total of its own, so a total may be null.
export const total = (row: Row): number => row.total;
