// Personalized EPG order: channels as a profile watches them, learned on real engines, and without that by number, marked.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Epg } from "#contracts/epg";
import { Live } from "#contracts/live";
import { Recommendation } from "#contracts/recommendation";
import { Session } from "#contracts/session";
import { defineService, type Platform, problem } from "#kernel";
import { testClock } from "#kernel/clock";
import { silentLogger } from "#kernel/telemetry";
import { channelsInOrder, ORDER_MS_MAX } from "../../bffs/web/guide.ts";
import epg from "../../services/content/epg/service.ts";
import recommendation from "../../services/discovery/recommendation/service.ts";
import tenant from "../../services/identity/tenant/service.ts";
import { startTestHost, type TestHost } from "../host.ts";
import { BUDGET_MS, printWaits, underLoad } from "./load.ts";
import { openPrimary } from "./primary.ts";
import { profilesOf } from "./profiles.ts";

const clock = testClock(Date.UTC(2026, 4, 20, 20));
const primary = openPrimary();
let host: TestHost;
let players: Platform<typeof Session>;
let lives: Platform<typeof Live>;

const nobody = () =>
  new Proxy({}, { get: () => async () => Promise.reject(problem.internal("not part of the test")) }) as never;
const plain = {
  uses: {},
  slo: { p99Ms: 10, availability: 0.999 },
  ai: { feeds: "none", uses: "none", fallback: "none needed" },
  ready: async () => {},
} as const;

before(async () => {
  const player = defineService({
    ...{ ...plain, contract: Session, rpc: nobody },
    start: (platform: Platform<typeof Session>) => (players = platform),
  });
  const live = defineService({
    ...{ ...plain, contract: Live, rpc: nobody },
    start: (platform: Platform<typeof Live>) => (lives = platform),
  });
  host = await startTestHost({ services: [tenant, player, live, profilesOf("u"), epg, recommendation], clock });
});
after(() => host?.stop());

/** Three channels by number: one, two, three. */
async function addChannels(): Promise<void> {
  for (const [at, name] of ["one", "two", "three"].entries())
    await lives.db.tx({ tenant: "demo" }, async (tx) =>
      tx.emit("channelChanged", {
        ...{ contentId: `ch-${name}`, number: at + 1, name, logo: "", language: "en", latency: "low", ageRating: 0 },
        ...{ tier: "basic", ladder: [], inputs: ["demo"], onAir: true, onDemand: true, dvrWindowS: 7_200 },
        removed: false,
      }),
    );
  await host.settled();
}

async function watch(profileId: string, contentId: string, minutes: number): Promise<void> {
  const [startedAtMs, endedAtMs] = [clock.nowMs() - minutes * 60_000, clock.nowMs()];
  await players.db.tx({ tenant: "demo" }, async (tx) =>
    tx.emit("stopped", {
      ...{
        userId: "u",
        profileId,
        sessionId: `ses-${contentId}-${minutes}`,
        contentId,
        deviceId: "d",
        deviceType: "tv",
      },
      ...{ startedAtMs, endedAtMs, sequence: 9, positionS: -1, presentedS: -1, durationS: 0, reason: "asked" },
    }),
  );
  await host.settled();
}

const viewer = { userId: "u", profileId: "prf_1" };
const page = { order: "mine" as const, offset: 0, limit: 50 };

/** A page of the guide, from the real guide and the real recommendations, which the test can take away from it. */
function ask(order: "mine" | "number" = "mine") {
  const recommendations = host.client(Recommendation, "web");
  const call = {
    epg: host.client(Epg, "web"),
    recommendation: {
      ...recommendations,
      orderChannels: (...of: Parameters<typeof recommendations.orderChannels>) =>
        primary.pass(ORDER_MS_MAX, () => recommendations.orderChannels(...of)),
    },
  };
  const parts = { call, logger: silentLogger } as unknown as Parameters<typeof channelsInOrder>[0];
  return channelsInOrder(parts, viewer.profileId, { ...page, order }, host.context({ viewer }));
}
const names = ({ channels }: Awaited<ReturnType<typeof ask>>): string =>
  channels.map(({ id }) => id.replace("ch-", "")).join(" ");

test("epg order: by number until something is known, then as the profile watches, and by number where that is asked for", async () => {
  await addChannels();
  const before = await ask();
  assert.deepEqual([names(before), before.orderedBy, before.partial], ["one two three", "number", false]);
  await watch("prf_1", "ch-three", 90);
  await watch("prf_1", "ch-two", 20);
  await watch("prf_2", "ch-one", 300);
  // The order holds for some minutes, so that a guide that comes in pages is one.
  assert.equal(names(await ask()), "one two three");
  await clock.advance(5 * 60_000 + 1);
  const learned = await ask();
  assert.deepEqual([names(learned), learned.orderedBy, learned.partial], ["three two one", "learned", false]);
  const numbers = await ask("number");
  assert.deepEqual([names(numbers), numbers.orderedBy], ["one two three", "number"]);
});

for (const how of ["hangs", "refuses"] as const)
  test(`epg order: where what a profile watches ${how === "hangs" ? "does not come" : "is refused"}, channels come by number and marked, and in its order again without a restart`, async (t) => {
    await underLoad(
      () => ask(),
      async (load) => {
        await load.until("the learned order is there", ({ orderedBy }) => orderedBy === "learned");
        primary.take(how);
        const answers = await load.next(80);
        printWaits(t, `epg order, recommendation ${how}`, answers);
        for (const { answer } of answers)
          assert.deepEqual([names(answer), answer.orderedBy, answer.partial], ["one two three", "number", true]);
        assert.ok(primary.givenMs.length > 0 && primary.givenMs.every((ms) => ms < BUDGET_MS));
        if (how === "hangs") assert.ok(primary.hanging() > 0, "nobody waited for it to come back");
        primary.giveBack();
        const whole = await load.until("the learned order is back", ({ partial }) => !partial);
        assert.equal(names(whole), "three two one");
      },
    );
  });
