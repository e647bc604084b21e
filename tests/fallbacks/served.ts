import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { Models, type Version } from "#contracts/models";
import type { TestHost } from "../host.ts";

/** Trains a model through the registry and takes it all the way: the gate lets it in, an operator past its canary. */
export async function trainAndServe(host: TestHost, name: string): Promise<Version> {
  const client = host.client(Models, "test");
  await client.train({ name }, host.context());
  let newest: Version | undefined;
  for (const end = Date.now() + 60_000; !newest && Date.now() < end; await pause(50))
    [newest] = (await client.list({ name }, host.context())).versions;
  assert.equal(newest?.stage, "canary", newest?.reason);
  for (const expected of ["canary", "production"]) {
    const { version } = await client.promote({ name, version: newest.version }, host.context());
    assert.equal(version?.stage, expected);
  }
  return newest;
}
