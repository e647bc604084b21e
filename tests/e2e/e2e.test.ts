/** The whole product in a real browser. One product serves all scenarios, as one evening does. */
import { mkdir, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, describe } from "node:test";
import { firstFilm, openProduct, type RunningProduct } from "./product.ts";
import { accounts } from "./scenarios/accounts.ts";
import { ads } from "./scenarios/ads.ts";
import { operators } from "./scenarios/console.ts";
import { edges } from "./scenarios/edges.ts";
import { guide } from "./scenarios/guide.ts";
import { filmDetails, journey } from "./scenarios/journey.ts";
import { kids } from "./scenarios/kids.ts";
import { library } from "./scenarios/library.ts";
import { live } from "./scenarios/live.ts";
import { notices } from "./scenarios/notices.ts";
import { pages } from "./scenarios/pages.ts";
import { search } from "./scenarios/search.ts";
import { slots, streams } from "./scenarios/streams.ts";
import { withoutScript } from "./scenarios/without-script.ts";
import type { Scenario, Stage } from "./stage.ts";

/** What people do each day; an everyday run of the tests has these alone. */
const EVERYDAY: readonly Scenario[] = [
  journey,
  withoutScript,
  edges,
  accounts,
  streams,
  kids,
  library,
  search,
  guide,
  live,
];
const MORE: readonly Scenario[] = [filmDetails, notices, operators, pages, ads];

describe("the product in a browser", { concurrency: false }, () => {
  let product: RunningProduct | undefined;
  let stage: Stage | undefined;
  const present = (): Stage => {
    if (stage === undefined) throw new Error("the product is not there");
    return stage;
  };

  before(async () => {
    const shots = process.env["MARQUEE_SHOTS"];
    if (shots !== undefined) await mkdir(shots, { recursive: true });
    const folder = shots === undefined ? await mkdtemp(join(tmpdir(), "marquee-shots-")) : resolve(shots);
    product = await openProduct({ demo: true });
    stage = { product, film: await firstFilm(product), shots: folder };
  });
  after(async () => product?.stop());

  const isEveryday = Boolean(process.env["MARQUEE_TEST_EVERYDAY"]);
  // Slots of browsers that were killed are looked at when as much time has gone by as can.
  for (const declare of [...EVERYDAY, ...(isEveryday ? [] : MORE), slots]) declare(present);
});
