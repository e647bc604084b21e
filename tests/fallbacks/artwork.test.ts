// Content thumbnails: the picture by which a profile chooses a title, learned on a real database, and without that the editor's, marked.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Title } from "#contracts/catalog";
import { Recommendation } from "#contracts/recommendation";
import { testClock } from "#kernel/clock";
import { silentLogger } from "#kernel/telemetry";
import { chosenPictures, inPicture, PICTURES_MS_MAX } from "../../bffs/web/artwork.ts";
import recommendation from "../../services/discovery/recommendation/service.ts";
import tenant from "../../services/identity/tenant/service.ts";
import { startTestHost, type TestHost } from "../host.ts";
import { BUDGET_MS, printWaits, underLoad } from "./load.ts";
import { openPrimary } from "./primary.ts";
import { profilesOf } from "./profiles.ts";

const clock = testClock(Date.UTC(2026, 4, 20, 20));
const primary = openPrimary();
let host: TestHost;

before(async () => {
  host = await startTestHost({ services: [tenant, profilesOf("u"), recommendation], clock });
});
after(() => host?.stop());

const pictures = ["editors", "b", "c"].map((key) => ({ key, width: 1_280, height: 720, color: "", blurDataUrl: "" }));
const title = { id: "film", backdrop: pictures[0], artworkCandidates: pictures } as unknown as Title;

/** What a profile's home shows of the title, from the real recommendations, which the test can take away from it. */
async function ask(profileId: string) {
  const recommendations = host.client(Recommendation, "web");
  const call = {
    recommendation: {
      ...recommendations,
      chooseArtwork: (...of: Parameters<typeof recommendations.chooseArtwork>) =>
        primary.pass(PICTURES_MS_MAX, () => recommendations.chooseArtwork(...of)),
    },
  };
  const parts = { call, logger: silentLogger } as unknown as Parameters<typeof chosenPictures>[0];
  const context = host.context({ viewer: { userId: "u", profileId } });
  const { keys, isPartial } = await chosenPictures(parts, profileId, [title], context);
  return { key: inPicture(title, keys).backdrop?.key, isPartial, isOwn: keys.has("film") };
}
async function seen(prefix: string, profiles: number): Promise<ReadonlyMap<string, readonly string[]>> {
  const all = Array.from({ length: profiles }, (_, at) => `${prefix}${at}`);
  const shown: (readonly [string, string])[] = [];
  for (const id of all) shown.push([(await ask(id)).key ?? "", id]);
  return new Map([...Map.groupBy(shown, ([key]) => key)].map(([key, of]) => [key, of.map(([, id]) => id)]));
}

test("artwork: most see the editor's picture, and once another one is better beyond doubt, most see that", async () => {
  const first = await seen("early-", 400);
  assert.ok((first.get("editors")?.length ?? 0) > 300 && (first.get("b")?.length ?? 0) > 5, String([...first.keys()]));
  // Whoever sees b goes to the title, and of the others one in twenty.
  const chosen = [...(first.get("b") ?? []), ...(first.get("editors") ?? []).filter((_, at) => at % 20 === 0)];
  for (const profileId of chosen)
    await host
      .client(Recommendation, "web")
      .click(
        { profileId, contentId: "film", rail: "popular", position: 0 },
        host.context({ viewer: { userId: "u", profileId } }),
      );
  await host.settled();
  for (const profileId of (first.get("editors") ?? []).slice(0, 5))
    assert.equal((await ask(profileId)).key, "editors", "who has seen one picture sees it again");
  // What is known of pictures is looked up once a minute.
  await clock.advance(61_000);
  const later = await seen("late-", 100);
  assert.ok((later.get("b")?.length ?? 0) > 60, [...later].map(([key, ids]) => `${key} ${ids.length}`).join(", "));
});

for (const how of ["hangs", "refuses"] as const)
  test(`artwork: where the choice ${how}, the editor's picture is shown and the page says so, and the viewer's own again without a restart`, async (t) => {
    await underLoad(
      (turn) => ask(`late-${turn % 100}`),
      async (load) => {
        await load.until("somebody sees their own", ({ key, isPartial }) => key === "b" && !isPartial);
        primary.take(how);
        const answers = await load.next(80);
        printWaits(t, `artwork, recommendation ${how}`, answers);
        for (const { answer } of answers) assert.deepEqual(answer, { key: "editors", isPartial: true, isOwn: false });
        assert.ok(primary.givenMs.length > 0 && primary.givenMs.every((ms) => ms < BUDGET_MS));
        if (how === "hangs") assert.ok(primary.hanging() > 0, "nobody waited for it to come back");
        primary.giveBack();
        await load.until("somebody sees their own again", ({ key, isPartial }) => key === "b" && !isPartial);
      },
    );
  });
