// Everything that keeps something of a person, on real engines: all services but for the encoder, whose word is given by the test.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Ads } from "#contracts/ads";
import { Auth } from "#contracts/auth";
import { Bookmark } from "#contracts/bookmark";
import { Catalog } from "#contracts/catalog";
import { Epg } from "#contracts/epg";
import { Notification } from "#contracts/notification";
import { Profile } from "#contracts/profile";
import { Recommendation } from "#contracts/recommendation";
import { Recording } from "#contracts/recording";
import { Schedule } from "#contracts/schedule";
import { Session } from "#contracts/session";
import { User } from "#contracts/user";
import type { Viewer } from "#kernel";
import catalog from "../../services/content/catalog/service.ts";
import epg from "../../services/content/epg/service.ts";
import ingest from "../../services/content/ingest/service.ts";
import keys from "../../services/content/keys/service.ts";
import license from "../../services/delivery/license/service.ts";
import origin from "../../services/delivery/origin/service.ts";
import routing from "../../services/delivery/routing/service.ts";
import token from "../../services/delivery/token/service.ts";
import features from "../../services/discovery/features/service.ts";
import recommendation from "../../services/discovery/recommendation/service.ts";
import ads from "../../services/engagement/ads/service.ts";
import notification from "../../services/engagement/notification/service.ts";
import auth from "../../services/identity/auth/service.ts";
import entitlement from "../../services/identity/entitlement/service.ts";
import profile from "../../services/identity/profile/service.ts";
import subscription from "../../services/identity/subscription/service.ts";
import tenant from "../../services/identity/tenant/service.ts";
import user from "../../services/identity/user/service.ts";
import analytics from "../../services/insight/analytics/service.ts";
import qoe from "../../services/insight/qoe/service.ts";
import bookmark from "../../services/playback/bookmark/service.ts";
import recording from "../../services/playback/recording/service.ts";
import schedule from "../../services/playback/schedule/service.ts";
import session from "../../services/playback/session/service.ts";
import type { TestHostOptions } from "../host.ts";
import { openBrowser, PASSWORD, redeem, startIdentity, tokensOf, until } from "../identity/setup.ts";
import { openRing } from "../playback/ring.ts";
import { movableClock, openEdge, openStudio } from "../playback/setup.ts";

export interface Person {
  readonly email: string;
  readonly name: string;
  readonly device: { readonly id: string; readonly type: string; readonly name: string };
}

export async function startWhole(
  options: Pick<TestHostOptions, "folder" | "logger"> & { readonly listens?: Parameters<typeof openStudio>[0] } = {},
) {
  const clock = movableClock({ sleepMsMax: 200 });
  const { listens, ...rest } = options;
  const studio = openStudio(listens);
  const edges = await Promise.all(["a", "b"].map(openEdge));
  const identity = [tenant, user, profile, subscription, entitlement, auth];
  const content = [catalog, ingest, studio.service, keys, epg, openRing(clock).service];
  const services = [
    ...identity,
    ...content,
    origin,
    license,
    token,
    routing,
    session,
    bookmark,
    schedule,
    recording,
    recommendation,
    features,
    notification,
    ads,
    qoe,
    analytics,
  ];
  const redelivery = { firstMs: 10, maxMs: 100 };
  // What is looked for here is what ads leave behind, not whether they come in time.
  const env = { MARQUEE_AD_DEADLINE_MS: "5000" };
  const host = await startIdentity({ ...rest, services, addresses: { edges }, clock, redelivery, env });
  const call = {
    ads: host.client(Ads),
    auth: host.client(Auth),
    bookmarks: host.client(Bookmark),
    catalog: host.client(Catalog),
    epg: host.client(Epg),
    notifications: host.client(Notification),
    profiles: host.client(Profile),
    recommendations: host.client(Recommendation),
    recordings: host.client(Recording),
    schedules: host.client(Schedule),
    sessions: host.client(Session),
    users: host.client(User),
  };

  return {
    ...host,
    ...call,
    clock,
    services,
    async stop() {
      await host.stop();
      for (const edge of edges) edge.close();
    },
    async addFilm(id: string): Promise<void> {
      await call.catalog.add(
        { title: { id, kind: "film", title: id, tierMin: "basic", publication: "published" } },
        host.context(),
      );
      await studio.complete(id, 600);
      await host.settled();
    },
    /** Puts an ad into a film, as it begins. */
    async addBreak(contentId: string): Promise<void> {
      const campaign = { id: "tea", name: "Tea", advertiser: "Leaf", priority: 5 };
      await call.ads.saveCampaign({ campaign }, host.context());
      // Its film is no film; the encoder's word is what counts.
      const film = { campaignId: "tea", path: import.meta.filename, title: "Tea", clickThrough: "", preset: "quick" };
      const { creative } = await call.ads.addCreative(film, host.context());
      await studio.complete(creative?.id ?? "", 10);
      const index = { video: [], audio: [{ timescale: 1, segments: [{ durationTicks: 600, sizeBytes: 1 }] }] };
      await host.adapters.objects.put(`vod/${contentId}/r1/index-1.json`, Buffer.from(JSON.stringify(index)));
      await call.ads.setBreaks({ contentId, breaks: [{ atS: 0, durationS: 30 }] }, host.context());
      await host.settled();
    },
    /** A programme that starts in an hour. */
    async addProgramme(title: string): Promise<string> {
      const stamp = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19).replace(/[-:T]/g, "")} +0000`;
      const [startMs, stopMs] = [clock.nowMs() + 3_600_000, clock.nowMs() + 7_200_000];
      const location = join(host.folder, "guide.xml");
      await writeFile(
        location,
        `<tv><channel id="a"><display-name>A</display-name></channel>
         <programme channel="a" start="${stamp(startMs)}" stop="${stamp(stopMs)}"><title>${title}</title></programme></tv>`,
      );
      await call.epg.putSource({ name: "one", kind: "file", location, addsChannels: true }, host.context());
      await call.epg.import({ sourceName: "one" }, host.context());
      return until(async () => (await call.epg.search({ query: title, limit: 1 }, host.context())).programmes[0]?.id);
    },
    /** Signs somebody up in a browser and hands the new viewer over, with the first profile. */
    async signUp({ email, name, device }: Person): Promise<Viewer> {
      const browser = openBrowser(host.publicUrl);
      const begun = await browser.authorize({ deviceId: device.id, deviceName: device.name, screenHint: "signup" });
      const { continueUrl } = await call.auth.signUp(
        { interaction: begun.interaction, email, name, password: PASSWORD, ip: "192.0.2.7" },
        host.context(),
      );
      tokensOf(await redeem(host.publicUrl, await browser.resume(continueUrl, begun.state), begun.verifier));
      const { user: made } = await call.users.findByEmail({ email }, host.context());
      assert.ok(made);
      const first = await until(
        async () => (await call.profiles.list({ userId: made.id }, host.context())).profiles[0],
      );
      await host.settled();
      return { userId: made.id, profileId: first.id, tier: "basic", deviceId: device.id, entitlements: [] };
    },
  };
}

export type WholeHost = Awaited<ReturnType<typeof startWhole>>;
