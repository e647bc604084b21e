import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Profile } from "#contracts/profile";
import { Subscription } from "#contracts/subscription";
import { User } from "#contracts/user";
import user from "../user/service.ts";
import profile from "./service.ts";
import subscription from "../subscription/service.ts";
import tenant from "../tenant/service.ts";
import { Tenant } from "#contracts/tenant";
import { startTestHost } from "../testing.ts";

let t: Awaited<ReturnType<typeof startTestHost>>;
before(async () => {
  t = await startTestHost({ services: [tenant, user, profile, subscription] });
});
after(() => t.stop());
const until = async <T>(f: () => Promise<T | undefined | false>): Promise<T> => {
  for (let i = 0; i < 200; i++) {
    const r = await f();
    if (r) return r;
    await new Promise((r) => setTimeout(r, 20));
  }
  throw new Error("never");
};

test("smoke", async () => {
  const users = t.client(User),
    profiles = t.client(Profile),
    subs = t.client(Subscription);
  const { user: u } = await users.create({ email: "Alex@Demo.TEST", name: "Alex" }, t.context());
  assert.ok(u);
  assert.equal(u.email, "alex@demo.test");
  const first = await until(async () => (await profiles.list({ userId: u.id }, t.context())).profiles[0]);
  assert.equal(first.name, "Alex");
  const s = await until(async () => {
    const r = (await subs.get({ userId: u.id }, t.context())).subscription;
    return r && r.sinceMs > 0n && r;
  });
  assert.equal(s.plan?.streamsMax, 2);
  console.log(await t.client(Tenant).resolve({ host: "localhost:80" }, t.context()));
});
