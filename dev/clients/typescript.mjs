// Typed clients in TypeScript. Arguments: pairs of a contract and what to make of it, then "--" and documents.
//   node typescript.mjs bffs/mobile/openapi.json out/mobile.ts bffs/web/schema.graphql out/web.ts -- one.graphql
import { readFile, writeFile } from "node:fs/promises";
import { codegen } from "@graphql-codegen/core";
import * as operations from "@graphql-codegen/typescript-operations";
import * as documentNodes from "@graphql-codegen/typed-document-node";
import { buildSchema, parse } from "graphql";
import openapiTS, { astToString } from "openapi-typescript";

const HEADER = "// Made by `make contracts` from the committed contract; do not edit.\n";
// As they come over the wire: text that no number rounds.
const scalars = { DateTime: "string", Decimal: "string", ID: "string" };

const words = process.argv.slice(2);
const split = words.indexOf("--") < 0 ? words.length : words.indexOf("--");
const documents = await Promise.all(
  words.slice(split + 1).map(async (file) => ({ location: file, document: parse(await readFile(file, "utf8")) })),
);

async function ofRest(text) {
  return astToString(await openapiTS(JSON.parse(text), { alphabetize: false, enum: false }));
}

async function ofGraph(text) {
  const config = { scalars, enumType: "string-literal", useTypeImports: true, skipTypename: true };
  return codegen({
    filename: "graph.ts",
    schema: parse(text),
    schemaAst: buildSchema(text),
    documents,
    config,
    plugins: [{ operations: {} }, { documentNodes: {} }],
    pluginMap: { operations, documentNodes },
  });
}

for (let at = 0; at < split; at += 2) {
  const [contract, target] = words.slice(at, at + 2);
  const text = await readFile(contract, "utf8");
  const made = contract.endsWith(".json") ? await ofRest(text) : await ofGraph(text);
  await writeFile(target, HEADER + made.trimEnd() + "\n");
}
