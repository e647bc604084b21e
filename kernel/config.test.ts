import assert from "node:assert/strict";
import { test } from "node:test";
import { isLoopback, readConfig } from "./config.ts";
import { Problem } from "./errors.ts";

const fault = (env: Record<string, string>): string => {
  try {
    readConfig(env);
  } catch (error) {
    assert.ok(error instanceof Problem && error.code === "invalid_argument");
    return error.message;
  }
  return "";
};

test("without an environment there is a working configuration", () => {
  const config = readConfig({ PATH: "/bin", MARQUEE_HOST: "" });
  assert.equal(config.MARQUEE_PORT, 8080);
  assert.equal(config.MARQUEE_HOST, "localhost");
  assert.equal(config.MARQUEE_DEMO, true);
  assert.equal(config.MARQUEE_CLEARKEY, undefined);
});

test("an error names the variable, what it was and what it may be", () => {
  for (const [name, value, remedy] of [
    ["MARQUEE_PORT", "eighty", /number/],
    ["MARQUEE_PORT", "70000", /65530/],
    ["MARQUEE_DEMO", "yes", /"0"\|"1"/],
    ["MARQUEE_MODE", "prod", /"development"\|"production"/],
    ["MARQUEE_MARKET", "Germany", /A-Z/],
    ["MARQUEE_WIDEVINE_URL", "not a url", /URL/i],
    ["MARQUEE_ENCODE_CONCURRENCY", "0", /1/],
    ["MARQUEE_REDIS_URL", "localhost:6379", /redis:\/\/user:password@127\.0\.0\.1:6379\/0/],
    ["MARQUEE_S3_BUCKET", "Media_1", /marquee-media/],
    ["MARQUEE_S3_ENDPOINT", "s3.example.org", /https:\/\/s3\.example\.org/],
    ["MARQUEE_S3_REGION", "EU Central", /eu-central-1/],
    ["MARQUEE_VAULT_ADDR", "vault:8200", /https:\/\/vault\.example\.org:8200/],
    ["MARQUEE_VAULT_MOUNT", "/secret/", /secret/],
    ["MARQUEE_VAULT_NAMESPACE", "a b", /team\/cinema/],
    ["MARQUEE_KAFKA_BROKERS", "kafka-1", /host:port/],
    ["MARQUEE_KAFKA_BROKERS", "kafka-1:9092, kafka-2:9092", /without blanks/],
    ["MARQUEE_KAFKA_REPLICATION", "0", /1/],
    ["MARQUEE_SCHEMA_REGISTRY_URL", "registry", /URL/i],
  ] as const) {
    const text = fault({ [name]: value });
    assert.ok(text.includes(`${name}='${value}'`), text);
    assert.match(text, remedy);
  }
  const both = fault({ MARQUEE_PORT: "x", MARQUEE_MODE: "y" });
  assert.match(both, /MARQUEE_PORT.*; MARQUEE_MODE/);
});

test("an error does not say a password that stands in an address", () => {
  const text = fault({ MARQUEE_PLAYREADY_URL: "https//operator:hunter2@vendor.example/" });
  assert.match(text, /MARQUEE_PLAYREADY_URL/);
  assert.doesNotMatch(text, /hunter2/);
  for (const address of ["redis:/operator:hunter2@host", "http://:hunter/hunter2@host", "hunter2@host:6379"])
    assert.doesNotMatch(fault({ MARQUEE_REDIS_URL: address }), /hunter/);
});

test("loopback is this machine only", () => {
  for (const host of ["localhost", "127.0.0.1", "::1"]) assert.equal(isLoopback(host), true);
  for (const host of ["tv.example", "0.0.0.0", "127.0.0.1.example"]) assert.equal(isLoopback(host), false);
});
