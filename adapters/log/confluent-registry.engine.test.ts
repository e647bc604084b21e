/** Our client of schema registries against a real one, which `npm run test:engines -- registry` starts. */
import { describe } from "node:test";
import { openConfluentRegistry } from "./confluent-registry.ts";
import { schemaRegistryContract } from "./contract.ts";

const url = process.env["MARQUEE_SCHEMA_REGISTRY_URL"] ?? "";
const skip =
  process.env["MARQUEE_TEST_REGISTRY"] === "1" ? false : "npm run test:engines -- registry starts one and runs this";

if (skip === false) schemaRegistryContract("Apicurio Registry", () => openConfluentRegistry({ url }));
else describe("the schema registry by Confluent's API", { skip });
