import type { IncomingMessage } from "node:http";
import { problem } from "#kernel";
import type { OipBackend } from "./oip.ts";
import { type Parts, refOf } from "./parts.ts";
import { routesOf, scoresOf } from "./serve.ts";
import * as store from "./store.ts";

const TIMEOUT_MS = 2_000;
const VERSIONS_MAX = 1_000;

/** The registry as a server of the Open Inference Protocol: every version by number, and without one what is in production. */
export function backendOf(parts: Parts, { headers }: Pick<IncomingMessage, "headers">): OipBackend {
  const named = headers["x-marquee-tenant"];
  const tenant = typeof named === "string" ? named : parts.config.MARQUEE_TENANT;

  async function find(name: string, version: string | undefined): Promise<store.Version> {
    if (version === undefined) {
      const routes = await routesOf(parts, tenant, name);
      const found = routes.find(({ stage }) => stage === "production") ?? routes[0];
      if (found) return found;
      throw problem.notFound(`nothing of model '${name.slice(0, 100)}' is served: name a version`);
    }
    const all = await parts.db.read({ tenant }, (tx) => store.list(tx, { name, limit: VERSIONS_MAX }));
    const found = all.find((one) => String(one.version) === version);
    if (found) return found;
    throw problem.notFound(`model '${name.slice(0, 100)}' has no version '${version.slice(0, 100)}'`);
  }
  /** A row of which nothing is known is the least that makes the runtime load a version. */
  async function loaded(version: store.Version): Promise<ReturnType<typeof refOf>> {
    await scoresOf(parts, tenant, version, emptyRow(version), TIMEOUT_MS);
    return refOf(tenant, version.name, version.version);
  }

  return {
    ready: async () => {
      const { ok, detail } = await parts.models.state();
      if (!ok) throw problem.unavailable(detail);
    },
    async metadata(name, version) {
      const found = await find(name, version);
      const { platform, inputs, outputs } = await parts.models.metadata(await loaded(found));
      return { platform, inputs, outputs, versions: [String(found.version)] };
    },
    async infer(name, version, request) {
      const found = await find(name, version);
      const answer = await parts.models.infer(await loaded(found), request, { timeoutMs: TIMEOUT_MS });
      return { ...answer, version: String(found.version) };
    },
  };
}

const emptyRow = ({ lineage }: store.Version) => ({
  values: new Float32Array(lineage.features.length).fill(Number.NaN),
  columns: lineage.features.length,
});
