import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Epg } from "#contracts/epg";
import epg from "../../services/content/epg/service.ts";
import tenant from "../../services/identity/tenant/service.ts";
import { startTestHost, type TestHost } from "../host.ts";

const HOUR_MS = 3_600_000;
const stamp = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19).replace(/[-:T]/g, "")} +0000`;
const hour = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;

describe("the guide", { concurrency: false }, () => {
  let host: TestHost;
  before(async () => {
    host = await startTestHost({ services: [tenant, epg] });
  });
  after(() => host?.stop());

  const client = () => host.client(Epg, "test");
  async function importText(source: string, text: string) {
    const path = join(host.folder, `${source}.xml`);
    await writeFile(path, text);
    await client().putSource({ name: source, kind: "file", location: path, addsChannels: true }, host.context());
    const { importId } = await client().import({ sourceName: source }, host.context());
    for (;;) {
      const { import: state } = await client().getImport({ importId }, host.context());
      if (state?.state === "completed" || state?.state === "failed") return state;
      await sleep(20);
    }
  }

  it("takes a document in", async () => {
    const state = await importText(
      "one",
      `<tv><channel id="a"><display-name>A</display-name><display-name>7</display-name></channel>
       <programme start="${stamp(hour)}" stop="${stamp(hour + HOUR_MS)}" channel="a"><title>Now</title></programme>
       <programme start="${stamp(hour + HOUR_MS)}" channel="a"><title>Next</title></programme></tv>`,
    );
    assert.deepEqual([state.state, state.failure, state.programmesKept, state.channelsMerged], ["completed", "", 2, 1]);
    const { channels } = await client().nowNext({ channelIds: ["ch-a"] }, host.context());
    assert.deepEqual([channels[0]?.now?.title, channels[0]?.next?.title], ["Now", "Next"]);
  });
});
