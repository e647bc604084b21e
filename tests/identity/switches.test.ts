// Kill switches of services, by the flags of a real host: calls, HTTP and /readyz say so, events wait, and everything comes back.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Profile } from "#contracts/profile";
import { Tenant } from "#contracts/tenant";
import { User, type UserCreated } from "#contracts/user";
import { defineService, type HttpMount, on, type Platform, problem, type Received, type Tx } from "#kernel";
import { serviceSwitch } from "#kernel/flags";
import type { FlagRule } from "#kernel/ports/flags";
import tenant from "../../services/identity/tenant/service.ts";
import user from "../../services/identity/user/service.ts";
import { startTestHost, type TestHost } from "../host.ts";

let host: TestHost;
const heard: string[] = [];
let tries = 0;
const uses = { tenant: Tenant };
type Parts = Pick<Platform<typeof Profile, typeof uses>, "call">;

/** Hears of new accounts, and asks the tenants' service before it believes one. */
async function hear({ call }: Parts, _: Tx<typeof Profile>, events: readonly Received<UserCreated>[]): Promise<void> {
  tries += 1;
  for (const { data, tenant: id } of events) {
    await call.tenant.get({ id }, host.context());
    heard.push(data.userId);
  }
}
const listener = defineService({
  contract: Profile,
  uses,
  slo: { p99Ms: 10, availability: 0.999 },
  ai: { feeds: "none", uses: "none", fallback: "none needed" },
  start: ({ call }: Platform<typeof Profile, typeof uses>): Parts => ({ call }),
  rpc: () =>
    new Proxy({}, { get: () => async () => Promise.reject(problem.internal("not part of the test")) }) as never,
  on: [on(User.events.created)(hear)],
  http: (): HttpMount[] => [
    { listener: "public", prefix: "/here/", handle: (_, response) => void response.writeHead(200).end("here") },
  ],
  ready: async () => {},
});

before(async () => {
  host = await startTestHost({ services: [tenant, user, listener] });
});
after(() => host?.stop());

const shut = (service: string, market?: string): FlagRule => ({
  name: serviceSwitch(service).name,
  isEnabled: true,
  audiences: [
    {
      ...{ percent: 100, stickiness: "default", variants: [] },
      conditions:
        market === undefined ? [] : [{ attribute: "tenant", operator: "IN", values: [market], isInverted: false }],
    },
  ],
});

test("calls to a service that is shut are refused until it is open again, and the operator's go through", async () => {
  const ask = (caller: string) => host.client(Tenant, caller).get({ id: "demo" }, host.context());
  await ask("web");
  await host.adapters.flags.put(shut("tenant"));
  await assert.rejects(ask("web"), { code: "unavailable", reason: "switched_off", retryAfterS: 60 });
  assert.equal((await ask("admin")).tenant?.id, "demo");
  const states = await host.host.states();
  assert.deepEqual(states["service/tenant"], { ok: true, detail: "shut by the flag kill.service.tenant" });
  assert.deepEqual(states["service/user"], { ok: true, detail: "ready" });
  assert.match(states["adapter/flags"]?.detail ?? "", /flags in PostgreSQL, 1 with a rule/);
  await host.adapters.flags.put(shut("tenant", "another"));
  await ask("web");
  await host.adapters.flags.remove(serviceSwitch("tenant").name);
  await ask("web");
});

test("its HTTP answers 503", async () => {
  const mount = host.host.http.find(({ prefix }) => prefix === "/here/");
  assert.ok(mount);
  const server = createServer((request, response) => void mount.handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const look = async () => (await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/here/`)).status;
  try {
    assert.equal(await look(), 200);
    await host.adapters.flags.put(shut("profile"));
    assert.equal(await look(), 503);
    await host.adapters.flags.remove(serviceSwitch("profile").name);
    assert.equal(await look(), 200);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test("an event that needs it waits, and is no poison", async () => {
  await host.adapters.flags.put(shut("tenant"));
  const users = host.client(User, "web");
  const made = await users.create({ email: "wait@example.test", name: "Wait" }, host.context());
  await host.host.drained();
  for (let looks = 0; tries < 2 && looks < 3_000; looks += 1) await sleep(10);
  assert.ok(tries >= 2, `${tries} tries`);
  assert.deepEqual(heard, []);
  await host.adapters.flags.remove(serviceSwitch("tenant").name);
  await host.settled();
  assert.deepEqual(heard, [made.user?.id]);
});
