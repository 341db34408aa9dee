// Types and typed documents for every operation of a folder, as frontends have them generated.
// node codegen.mjs SCHEMA FOLDER RESULT: writes schema.ts and operations.ts into the folder RESULT.
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { codegen } from "@graphql-codegen/core";
import * as typedDocuments from "@graphql-codegen/typed-document-node";
import * as types from "@graphql-codegen/typescript";
import * as operations from "@graphql-codegen/typescript-operations";
import { parse } from "graphql";

const [schema, folder, result] = process.argv.slice(2);

const documents = readdirSync(folder)
  .filter((name) => name.endsWith(".graphql"))
  .sort()
  .map((name) => ({
    location: name,
    document: parse(readFileSync(join(folder, name), "utf8")),
  }));

const generate = async (filename, pluginMap) => {
  const source = await codegen({
    filename,
    schema: parse(readFileSync(schema, "utf8")),
    documents,
    config: { defaultScalarType: "unknown", scalars: { DateTime: "string", EventCursor: "string" } },
    pluginMap,
    plugins: Object.keys(pluginMap).map((name) => ({ [name]: {} })),
  });
  writeFileSync(join(result, filename), source);
};

await generate("schema.ts", { types });
await generate("operations.ts", { operations, typedDocuments });
