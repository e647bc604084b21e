import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Subscription } from "#contracts/subscription";
import { User } from "#contracts/user";
import { startIdentity } from "./setup.ts";
import user from "../../services/identity/user/service.ts";
import subscription from "../../services/identity/subscription/service.ts";

let host: Awaited<ReturnType<typeof startIdentity>>;
before(async () => {
  host = await startIdentity({ services: [user, subscription] });
});
after(() => host.stop());

test("an account begins with basic, changes its plan, and keeps it when the first event is late", async () => {
  const [subscriptions, context] = [host.client(Subscription), host.context()];
  const { user: made } = await host.client(User).create({ email: "plan@demo.test" }, context);
  const userId = made?.id ?? "";
  const { subscription: first } = await subscriptions.get({ userId }, context);
  assert.equal(first?.tier, "basic");
  const { subscription: changed } = await subscriptions.change({ userId, tier: "premium" }, context);
  assert.equal(changed?.tier, "premium");
  assert.equal(changed?.plan?.streamsMax, 4);
  assert.ok(Number(changed?.renewsAtMs) > Date.now());
  await host.settled();
  assert.equal((await subscriptions.get({ userId }, context)).subscription?.tier, "premium");
  await assert.rejects(subscriptions.change({ userId, tier: "gold" }, context), { reason: "plan_unknown" });
  const stranger = host.context({ viewer: { userId: "usr_other" } });
  await assert.rejects(subscriptions.change({ userId, tier: "basic" }, stranger), { reason: "not_yours" });
});
