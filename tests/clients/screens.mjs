// What a script is given: the schema, and the operations of a screen.
import { readFileSync } from "node:fs";

import { buildSchema, isAbstractType, isObjectType } from "graphql";

export const [address, token, schemaPath, folder] = process.argv.slice(2);
export const url = `http://${address}/graphql`;
export const headers = { authorization: `Bearer ${token}`, "accept-language": "en" };
export const schema = buildSchema(readFileSync(schemaPath, "utf8"));
export const operation = (name) => readFileSync(`${folder}/${name}.graphql`, "utf8");

const types = Object.values(schema.getTypeMap()).filter(({ name }) => !name.startsWith("__"));

// Which kinds stand behind each interface and union.
export const possibleTypes = Object.fromEntries(
  types
    .filter(isAbstractType)
    .map((type) => [type.name, schema.getPossibleTypes(type).map(({ name }) => name)]),
);

// Kinds without an id live inside what holds them.
export const withoutId = types
  .filter((type) => isObjectType(type) && !("id" in type.getFields()))
  .map(({ name }) => name);

// Of these, what one screen asks of them adds to what another asked; pages and payloads stand for themselves.
const passing = /(Connection|Edge|Payload|Events|^Query|^Mutation|^Subscription)$/;
export const values = withoutId.filter((name) => !passing.test(name));

export const rows = (data) =>
  data.products.edges.map(({ node }) => [node.code, node.total, node.listings[0].quantityToShow]);

export const changed = (data) => data.diffEvents.events.map(({ listing }) => listing.id);
