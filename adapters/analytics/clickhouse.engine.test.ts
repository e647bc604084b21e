import assert from "node:assert/strict";
import { createServer, type AddressInfo } from "node:net";
import { describe, test } from "node:test";
import { Problem } from "#kernel/errors";
import { openClickHouse } from "./clickhouse.ts";
import { analyticsContract } from "./contract.ts";

const url = process.env["MARQUEE_CLICKHOUSE_URL"] ?? "";
const skip = url === "" && "needs MARQUEE_CLICKHOUSE_URL (MARQUEE_TEST_CLICKHOUSE=1): run by npm run test:engines";
const login = {
  user: process.env["MARQUEE_CLICKHOUSE_USER"] ?? "default",
  password: process.env["MARQUEE_CLICKHOUSE_PASSWORD"] ?? "",
};

if (url !== "") analyticsContract("ClickHouse", () => openClickHouse({ url, ...login }));

const isAway = (words: RegExp) => (error: unknown) =>
  error instanceof Problem && error.code === "unavailable" && words.test(error.message);

describe("ClickHouse by its address", { skip }, () => {
  test("a wrong password is told, with the variable", async () => {
    await assert.rejects(openClickHouse({ url, ...login, password: "wrong" }), isAway(/MARQUEE_CLICKHOUSE_PASSWORD/));
  });
});

test("a server that is not there, or says nothing, is told at once", async () => {
  const server = createServer();
  const port = await new Promise<number>((resolve) =>
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port)),
  );
  await new Promise((resolve) => server.close(resolve));
  await assert.rejects(openClickHouse({ url: `http://127.0.0.1:${port}`, ...login }), isAway(/cannot be reached/));
});
