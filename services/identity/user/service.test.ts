import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { User } from "#contracts/user";
import { startTestHost } from "../../../tests/host.ts";
import user from "./service.ts";

let host: Awaited<ReturnType<typeof startTestHost>>;
before(async () => {
  host = await startTestHost({ services: [user] });
});
after(() => host.stop());

test("an account is made once for an address, found by it, changed and deleted", async () => {
  const [users, context] = [host.client(User, "test"), host.context()];
  const { user: made } = await users.create({ email: "Alex@Demo.test", name: "Alex", language: "en" }, context);
  assert.ok(made);
  await assert.rejects(users.create({ email: "alex@demo.TEST" }, context), {
    code: "already_exists",
    reason: "email_taken",
  });
  assert.equal((await users.findByEmail({ email: "ALEX@demo.test" }, context)).user?.id, made.id);
  const { user: changed } = await users.update({ userId: made.id, name: "Alexandra" }, context);
  assert.equal(changed?.name, "Alexandra");
  assert.equal(changed?.language, "en");
  const stranger = host.context({ viewer: { userId: "usr_other" } });
  await assert.rejects(users.delete({ userId: made.id }, stranger), { code: "permission_denied", reason: "not_yours" });
  await users.delete({ userId: made.id }, context);
  await users.delete({ userId: made.id }, context);
  await assert.rejects(users.get({ userId: made.id }, context), { code: "not_found" });
});

test("two people who ask for one address at the same moment: one gets it", async () => {
  const [users, context] = [host.client(User, "test"), host.context()];
  const answers = await Promise.allSettled([1, 2, 3, 4].map(() => users.create({ email: "same@demo.test" }, context)));
  assert.equal(answers.filter(({ status }) => status === "fulfilled").length, 1);
});

test("the address is free in another tenant", async () => {
  const users = host.client(User, "test");
  await users.create({ email: "twice@demo.test" }, host.context());
  await users.create({ email: "twice@demo.test" }, host.context({ tenant: "other" }));
});
